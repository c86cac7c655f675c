"""The log: one JSON object a line on standard error, with the ID of its request.

Nothing that comes from an upload is ever logged: no payloads, no pixels, no file names, no query values.
"""

import json
import logging
import random
import re
import time
from contextvars import ContextVar
from functools import lru_cache

from pydantic_core import to_json

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""ID of the request that the current task belongs to."""

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def choose_id(incoming: str | None) -> str:
    """The request ID that the client sent, if it is safe to log, else a new one."""
    if incoming is not None and _SANE_ID.fullmatch(incoming):
        return incoming
    # An ID is not secret, so it does not need the system's generator, a call that releases the interpreter lock.
    return f"{random.getrandbits(128):032x}"


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message, request ID, and the values given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": _utc(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (current := request_id.get()) is not None:
            entry["request_id"] = current
        entry |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        try:
            return to_json(entry, fallback=str).decode()
        except ValueError:
            # Text that is not UTF-8, such as a file name; the standard library accepts any, but is slower.
            return json.dumps(entry, default=str)


def _utc(seconds: float) -> str:
    """Time in ISO 8601, to the millisecond."""
    whole = int(seconds)
    return f"{_utc_second(whole)}.{int((seconds - whole) * 1e3):03d}+00:00"


@lru_cache(maxsize=1)
def _utc_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def configure(level: str) -> None:
    """Write the lines of all loggers of this process with `JsonFormatter`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    # These values are not shown, so they need not be collected (Python's logging HOWTO, "Optimization").
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
