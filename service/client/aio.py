"""The client for code with an event loop."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Iterable
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


class AsyncClient:
    """`Client` with `await`: the same methods, arguments and errors; use it as an async context manager."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        retry: Retry | None = None,
        concurrency: int = 4,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """See `Client`."""
        self._retry = retry or Retry()
        self._concurrency = concurrency
        self._rng = random.Random()
        self._http = httpx.AsyncClient(
            transport=transport, **exchange.options(base_url, api_key, concurrency)
        )

    async def decode(
        self,
        source: Source,
        *,
        symbol: Drawn | None = None,
        damage: bool = False,
        formats: str = "qr",
        expect: str = "",
    ) -> Decoded:
        """See `Client.decode`."""
        call = await asyncio.to_thread(
            exchange.decode_call, source, symbol=symbol, damage=damage, formats=formats, expect=expect
        )
        return await self._call(call)

    async def upscale(
        self, source: Source, image_format: Format = "png", *, decode: bool = False
    ) -> Enlarged:
        """See `Client.upscale`."""
        call = await asyncio.to_thread(exchange.upscale_call, source, image_format, decode=decode)
        return await self._call(call)

    async def decode_many(
        self, sources: Iterable[Source], *, progress: bool = False
    ) -> AsyncIterator[Outcome[Decoded]]:
        """See `Client.decode_many`."""
        waiting: deque[asyncio.Task[Outcome[Decoded]]] = deque()
        places = asyncio.Semaphore(self._concurrency)
        with Bar.of(sources, shown=progress) as bar:
            try:
                for source in sources:
                    waiting.append(asyncio.create_task(self._outcome(source, places)))
                    if len(waiting) >= 2 * self._concurrency:
                        yield bar.advanced(await waiting.popleft())
                while waiting:
                    yield bar.advanced(await waiting.popleft())
            finally:
                for task in waiting:
                    task.cancel()
                await asyncio.gather(*waiting, return_exceptions=True)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _outcome(self, source: Source, places: asyncio.Semaphore) -> Outcome[Decoded]:
        async with places:
            try:
                return Outcome(source, await self.decode(source), None)
            except (ClientError, OSError) as error:
                return Outcome(source, None, error)

    async def _call(self, call: Call[T]) -> T:
        tries = exchange.Tries(self._retry, self._rng)
        while True:
            try:
                return call.result(await self._post(call, tries.remaining()))
            except ClientError as error:
                await asyncio.sleep(tries.after(error))

    async def _post(self, call: Call[Any], timeout: float) -> httpx.Response:
        try:
            # httpx bounds each wait; this bounds them together.
            async with asyncio.timeout(timeout):
                return await self._http.post(**call.arguments(timeout))
        except TimeoutError as error:
            raise TransportError(f"no answer within {timeout:.1f} s") from error
        except httpx.RequestError as error:
            raise TransportError(f"{type(error).__name__}: {error}") from error
