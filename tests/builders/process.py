"""The real service as a process of its own, watched from outside."""

from benchmark.paths import ROOT
from benchmark.serving.process import ServiceProcess, free_port, parents, serving, serving_program

__all__ = ["ROOT", "ServiceProcess", "free_port", "parents", "serving", "serving_program"]
