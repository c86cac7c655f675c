"""Requests and responses, for both clients."""

import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Generic, Literal, TypeVar

import httpx

from service.client import answers, errors
from service.client.retry import Retry

T = TypeVar("T")
Source = bytes | str | os.PathLike[str] | BinaryIO
"""An encoded image, the path of one, or an open file."""
Drawn = Literal["svg", "png", "matrix"]
Format = Literal["png", "jpeg", "webp"]


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, and the function that parses its answer."""

    path: str
    query: dict[str, str]
    data: bytes
    parse: Callable[[httpx.Response], T]

    def arguments(self, timeout: float) -> dict[str, Any]:
        """Arguments of httpx's `post`."""
        return {
            "url": self.path,
            "params": self.query,
            "files": {"file": ("image", self.data)},
            "timeout": timeout,
        }

    def result(self, response: httpx.Response) -> T:
        """Parse the answer.

        Raises:
            ClientError: the answer is a problem, or not from this service.
        """
        kind = response.headers.get("content-type", "").partition(";")[0]
        try:
            if response.is_success:
                return self.parse(response)
            if kind == "application/problem+json":
                raise errors.problem(response.status_code, response.json(), response.headers)
        except (KeyError, TypeError, ValueError) as error:
            raise errors.UnexpectedAnswerError(response.status_code, "the answer cannot be parsed") from error
        message = f"status {response.status_code} with {kind or 'no content type'}"
        raise errors.UnexpectedAnswerError(response.status_code, message)


class Tries:
    """The tries of one call: when the next one is made, and how long it may take."""

    def __init__(self, retry: Retry, rng: random.Random) -> None:
        self._retry, self._rng = retry, rng
        self._end = time.monotonic() + retry.total_s
        self._tried = 0

    def remaining(self) -> float:
        """Seconds left; never 0, which httpx treats as no limit."""
        return max(self._end - time.monotonic(), 1e-3)

    def after(self, error: errors.ClientError) -> float:
        """Seconds to wait before the next try.

        Raises:
            ClientError: `error` itself, if there is no next try.
        """
        self._tried += 1
        pause = self._retry.pause(error, self._tried, self._end - time.monotonic(), self._rng)
        if pause is None:
            raise error
        return pause


def decode_call(
    source: Source,
    *,
    symbol: Drawn | None = None,
    damage: bool = False,
    formats: str = "qr",
    expect: str = "",
) -> Call[answers.Decoded]:
    """`POST /v1/decode`."""
    query = {} if formats == "qr" else {"formats": formats}
    if symbol is not None:
        query |= {"symbol": symbol, "damage": "true" if damage else "false"}
    if expect:
        query["expect"] = expect
    return Call("v1/decode", query, read(source), lambda response: answers.decoded(_json(response)))


def upscale_call(source: Source, image_format: Format, *, decode: bool) -> Call[answers.Enlarged]:
    """`POST /v1/upscale`."""
    query = {"format": image_format, "decode": "true" if decode else "false"}
    return Call("v1/upscale", query, read(source), _with_symbols if decode else _image_alone)


def read(source: Source) -> bytes:
    """The bytes to send, kept for further tries.

    Raises:
        OSError: the file cannot be read.
    """
    if isinstance(source, bytes):
        return source
    if isinstance(source, str | os.PathLike):
        return Path(source).read_bytes()
    return source.read()


def options(base_url: str, api_key: str | None, connections: int) -> dict[str, Any]:
    """Options of httpx's clients. Connections are kept open and reused."""
    headers = {"User-Agent": "qrsr-client/1"}
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return {"base_url": base_url.rstrip("/") + "/", "headers": headers, "limits": limits}


def _json(response: httpx.Response) -> dict[str, Any]:
    body = json.loads(response.content)
    if not isinstance(body, dict):
        raise TypeError("not a JSON object")
    return body


def _with_symbols(response: httpx.Response) -> answers.Enlarged:
    return answers.enlarged(_json(response))


def _image_alone(response: httpx.Response) -> answers.Enlarged:
    kind = response.headers.get("content-type", "")
    if not kind.startswith("image/"):
        raise ValueError(f"an image was asked for, and {kind!r} came")
    return answers.Enlarged(response.content, kind, None)
