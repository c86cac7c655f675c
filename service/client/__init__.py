"""A client of the service: `Client` and `AsyncClient`. Needs httpx alone (and tqdm for progress bars).

    from service.client import Client

    with Client("http://localhost:8000") as client:
        for symbol in client.decode("crop.png").symbols:
            print(symbol.text)

It imports nothing of the service itself, so the folder can be copied as it is.
"""

from service.client.aio import AsyncClient
from service.client.answers import (
    Attempt,
    Decoded,
    Drawing,
    Enlarged,
    Incomplete,
    Joined,
    Model,
    Outcome,
    Quality,
    StructuredAppend,
    Symbol,
)
from service.client.errors import (
    BadUploadError,
    ClientError,
    OverloadedError,
    ProblemError,
    TransportError,
    UnauthorizedError,
    UnavailableError,
    UnexpectedAnswerError,
)
from service.client.retry import Retry
from service.client.sync import Client

__all__ = [
    "AsyncClient",
    "Attempt",
    "BadUploadError",
    "Client",
    "ClientError",
    "Decoded",
    "Drawing",
    "Enlarged",
    "Incomplete",
    "Joined",
    "Model",
    "Outcome",
    "OverloadedError",
    "ProblemError",
    "Quality",
    "Retry",
    "StructuredAppend",
    "Symbol",
    "TransportError",
    "UnauthorizedError",
    "UnavailableError",
    "UnexpectedAnswerError",
]
