"""Attempts that are measured one by one: those of the service, and those that it does not use."""

from service.decoding import jobs
from service.decoding.cascade import ATTEMPTS, Attempt

CANDIDATES = (
    *ATTEMPTS,
    Attempt("sr-wechat", jobs.wechat, "sr"),
    Attempt("sr-wechat-plain", jobs.wechat_plain, "sr"),
)
