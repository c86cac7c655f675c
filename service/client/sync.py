"""The client for code without an event loop. May be shared between threads."""

import random
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from service.client import exchange
from service.client.answers import Decoded, Enlarged, Outcome
from service.client.errors import ClientError, TransportError
from service.client.exchange import Call, Drawn, Format, Source
from service.client.progress import Bar
from service.client.retry import Retry

T = TypeVar("T")


class Client:
    """Calls a service; use it as a context manager, or `close` it."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        retry: Retry | None = None,
        concurrency: int = 4,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """
        Args:
            base_url: for example `http://localhost:8000`.
            api_key: where the service asks for one.
            retry: how patient a call is; see `Retry` for what is usual.
            concurrency: requests at the same time in a batch, and connections kept.
            transport: httpx's way to the service, for tests and proxies.
        """
        self._retry = retry or Retry()
        self._concurrency = concurrency
        self._rng = random.Random()
        self._http = httpx.Client(transport=transport, **exchange.options(base_url, api_key, concurrency))

    def decode(
        self,
        source: Source,
        *,
        symbol: Drawn | None = None,
        damage: bool = False,
        formats: str = "qr",
        expect: str = "",
    ) -> Decoded:
        """Read the symbols of an image.

        Args:
            symbol: give each symbol back, drawn anew in this form.
            damage: with `symbol`: also tell which modules were damaged.
            formats: kinds of symbols to look for, with commas between: `qr`, `micro_qr`, `rmqr`.
            expect: what the payload may be, for example `prefix:https://shop.example/`; see docs/integration.md.

        Raises:
            ClientError: after all tries. No symbol is not an error.
            OSError: the file cannot be read.
        """
        return self._call(
            exchange.decode_call(source, symbol=symbol, damage=damage, formats=formats, expect=expect)
        )

    def upscale(self, source: Source, image_format: Format = "png", *, decode: bool = False) -> Enlarged:
        """Enlarge an image four times, and read its symbols too where `decode` is true.

        Raises:
            ClientError, OSError: as `decode`.
        """
        return self._call(exchange.upscale_call(source, image_format, decode=decode))

    def decode_many(self, sources: Iterable[Source], *, progress: bool = False) -> Iterator[Outcome[Decoded]]:
        """Read many images, `concurrency` at a time; outcomes come in the order of `sources`.

        A failure, a file that cannot be read included, is an outcome and does not end the batch. Sources are
        taken as places become free, so there may be any number of them.

        Args:
            progress: show a bar on the terminal.
        """
        waiting: deque[tuple[Source, Future[Outcome[Decoded]]]] = deque()
        bar = Bar.of(sources, shown=progress)
        with ThreadPoolExecutor(self._concurrency) as pool, bar:
            try:
                for source in sources:
                    waiting.append((source, pool.submit(self._outcome, source)))
                    if len(waiting) >= 2 * self._concurrency:
                        yield bar.advanced(waiting.popleft()[1].result())
                while waiting:
                    yield bar.advanced(waiting.popleft()[1].result())
            finally:
                for _, future in waiting:
                    future.cancel()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _outcome(self, source: Source) -> Outcome[Decoded]:
        try:
            return Outcome(source, self.decode(source), None)
        except (ClientError, OSError) as error:
            return Outcome(source, None, error)

    def _call(self, call: Call[T]) -> T:
        tries = exchange.Tries(self._retry, self._rng)
        while True:
            try:
                return call.result(self._post(call.arguments(tries.remaining())))
            except ClientError as error:
                time.sleep(tries.after(error))

    def _post(self, arguments: dict[str, Any]) -> httpx.Response:
        try:
            return self._http.post(**arguments)
        except httpx.RequestError as error:
            raise TransportError(f"{type(error).__name__}: {error}") from error
