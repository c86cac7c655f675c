"""A decoder process as the event loop sees it: a request goes out, a future has its answer."""

import asyncio
from typing import Any, cast

from service.decoding import wire
from service.decoding.child import ChildProcess, JobFailedError, ProcessDiedError, Request


class DecoderProcess(ChildProcess):
    """One child process that answers one job at a time. All methods belong to one event loop; none blocks but `reap`.

    It can be asked once `ready` has returned.
    """

    _conversation: "_Conversation | None" = None
    tasks = 0
    """Jobs given to it so far."""
    retired = False
    """To be closed instead of used again."""

    async def ready(self) -> None:
        """Hand over the factory and wait for the context.

        Raises:
            ProcessDiedError: it could not be built; the reason is on the child's standard error.
        """
        loop = asyncio.get_running_loop()
        _, conversation = await loop.create_unix_connection(lambda: _Conversation(self), sock=self.channel)
        self._conversation = conversation
        await conversation.ask(self.setup)

    def call(self, request: Request) -> asyncio.Future[Any]:
        """Send a request made by `pack`. Not to be called again before its answer is there.

        The answer may raise ProcessDiedError, where the process ended, by itself, by `kill` or by anybody else's hand;
        JobFailedError, where the job raised; or what was given to `give_up`.
        """
        assert self._conversation is not None  # noqa: S101 - for the type checker; see `ready`
        self.tasks += 1
        return self._conversation.ask(request)

    def give_up(self, error: Exception) -> None:
        """End the process over the job it is at, whose answer is `error`."""
        if self._conversation is not None:
            self._conversation.fail(error)
        self.kill()

    def hang_up(self) -> None:
        """Close the channel; an answer that is still awaited is ProcessDiedError."""
        if self._conversation is None:
            self.channel.close()
        else:
            self._conversation.end()


class _Conversation(asyncio.Protocol):
    """What is said over the channel of one process."""

    def __init__(self, process: DecoderProcess) -> None:
        self._process = process
        self._transport: asyncio.Transport | None = None
        self._heard = bytearray()
        self._request: Request | None = None
        self._answer: asyncio.Future[Any] | None = None

    def ask(self, request: Request) -> asyncio.Future[Any]:
        self._heard.clear()
        self._request = request
        answer = self._answer = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            self.fail(ProcessDiedError(self._process.pid, began=False))
        else:
            self._transport.writelines(request.parts)
        return answer

    def fail(self, error: Exception) -> None:
        if (answer := self._awaited()) is not None:
            answer.set_exception(error)

    def end(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        # Where it ended with (part of) the request unread, Linux resets the connection or breaks the pipe; elsewhere
        # the end looks like any other, and costs the job one of its tries.
        self._lost(began=exc is None)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        try:
            if (whole := wire.split(self._heard)) is None:
                return
            if self._request is None:
                raise wire.WireError("nothing was asked")
            answer = self._request.answered(*whole)
        except JobFailedError as error:
            self.fail(error)
        except wire.WireError:
            # What it said makes no sense, so it is not to be asked again.
            self._lost(began=True)
        else:
            if (awaited := self._awaited()) is not None:
                awaited.set_result(answer)

    def _awaited(self) -> asyncio.Future[Any] | None:
        """The answer that somebody waits for, to be given now. Neither it, by an exception's traceback, nor the request
        is to hold the picture until the next one."""
        answer, self._answer, self._request = self._answer, None, None
        return None if answer is None or answer.done() else answer

    def _lost(self, *, began: bool) -> None:
        self._process.kill()
        self.fail(ProcessDiedError(self._process.pid, began=began))
