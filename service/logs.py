"""One JSON object a line on stderr, with the id of the request it belongs to.

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
"""Id of the request that the current task works for."""

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def choose_id(incoming: str | None) -> str:
    """The client's request id where it is safe to repeat, else a new one."""
    if incoming is not None and _SANE_ID.fullmatch(incoming):
        return incoming
    # Not from the system's generator: an id is no secret, and asking for one gives other threads the interpreter.
    return f"{random.getrandbits(128):032x}"


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message, request id, and whatever was given as `extra`."""

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
            # A file name that is no UTF-8, for example. Slower, but it takes any text.
            return json.dumps(entry, default=str)


def _utc(seconds: float) -> str:
    """ISO 8601 to the millisecond."""
    whole = int(seconds)
    return f"{_utc_second(whole)}.{int((seconds - whole) * 1e3):03d}+00:00"


@lru_cache(maxsize=1)
def _utc_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def configure(level: str) -> None:
    """Send every logger of the process through `JsonFormatter`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    # What no line shows need not be found out for each of them (Python's logging HOWTO, "Optimization").
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
