"""Decoder processes: killed, hanging, failing, worn out."""

import asyncio
import gc
import os
import signal
import sys
import time
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import uvloop
from msgspec.msgpack import encode as packed

from service.decoding import jobs
from service.decoding.cascade import ATTEMPTS
from service.decoding.processes.child import Request, pack
from service.decoding.processes.errors import (
    JobCrashedError,
    JobFailedError,
    JobTimeoutError,
    PoolError,
    ProcessDiedError,
)
from service.decoding.processes.pool import DecoderPool
from service.decoding.processes.process import DecoderProcess, Job
from service.machine import LESS_URGENT
from tests.service.decoding.processes import pool_jobs
from tests.service.decoding.symbols import samples

pytestmark = pytest.mark.processes


LONG = 60.0
"""Seconds that no job of these tests needs."""


def soon() -> float:
    return time.monotonic() + LONG


@asynccontextmanager
async def pool_of(size: int = 1, tasks_per_process: int = 1000) -> AsyncIterator[DecoderPool]:
    pool = DecoderPool(pool_jobs.context, "mark", size=size, tasks_per_process=tasks_per_process)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def process_alone() -> AsyncIterator[DecoderProcess]:
    process = DecoderProcess(pool_jobs.context, ())
    try:
        await process.ready()
        yield process
    finally:
        process.hang_up()
        process.reap()


async def asked(process: DecoderProcess, request: Request) -> object:
    job = Job(request, soon())
    process.take(job)
    return await job.answer


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_job_gets_the_context_and_its_arguments() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            assert await pool.run(pool_jobs.first_mark, deadline=soon()) == "mark"
            array = np.arange(12, dtype=np.float16).reshape(3, 4)
            back = await pool.run(pool_jobs.echo_array, array, deadline=soon())
            assert isinstance(back, np.ndarray)
            np.testing.assert_array_equal(back, array)

    asyncio.run(scenario())


def test_processes_work_side_by_side() -> None:
    async def scenario() -> None:
        async with pool_of(size=2) as pool:
            work = [pool.run(pool_jobs.sleep, 0.2, deadline=soon()) for _ in range(2)]
            assert sorted(await asyncio.gather(*work)) == pool.pids

    asyncio.run(scenario())


def test_kill_9_in_the_middle_of_work_loses_no_job(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pool_of(size=2) as pool:
            started = tmp_path / "started"
            job = asyncio.create_task(pool.run(pool_jobs.sleep, 0.5, str(started), deadline=soon()))
            await until(started.exists)
            victim = int(started.read_text())
            os.kill(victim, signal.SIGKILL)
            assert await job not in (victim, os.getpid())
            assert pool.counters.crashes == 1
            await until(lambda: pool.counters.restarts == 1)
            assert victim not in pool.pids
            assert len(pool.pids) == 2

    asyncio.run(scenario())


def test_processes_killed_while_idle_are_replaced_and_cost_nothing() -> None:
    async def scenario() -> None:
        async with pool_of(size=2) as pool:
            before = pool.pids
            for pid in before:
                os.kill(pid, signal.SIGKILL)
            assert await pool.run(pool_jobs.pid, deadline=soon()) not in before
            assert pool.counters.restarts >= 1

    asyncio.run(scenario())


def test_a_process_killed_while_idle_is_replaced_before_anybody_asks() -> None:
    async def scenario() -> None:
        async with pool_of(size=2) as pool:
            victim, other = pool.pids
            os.kill(victim, signal.SIGKILL)
            await until(lambda: pool.counters.restarts == 1)
            assert (pool.counters.idle_exits, pool.counters.crashes) == (1, 0)
            assert other in pool.pids
            assert victim not in pool.pids
            assert len(pool.pids) == 2

    asyncio.run(scenario())


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is Linux's here")
def test_processes_give_way_to_the_loop_that_feeds_them() -> None:
    async def scenario() -> None:
        async with pool_of(2) as pool:
            for pid in pool.pids:
                niceness = os.getpriority(os.PRIO_PROCESS, pid)
                assert niceness == min(os.getpriority(os.PRIO_PROCESS, 0) + LESS_URGENT, 19)

    asyncio.run(scenario())


def test_memory_beyond_its_bound_fails_the_job_alone() -> None:
    async def scenario() -> None:
        pool = DecoderPool(pool_jobs.context, size=1, memory_bytes=1 << 30)
        await pool.start()
        try:
            (pid,) = pool.pids
            with pytest.raises(JobFailedError, match="MemoryError"):
                await pool.run(pool_jobs.allocate, 2 << 30, deadline=soon())
            assert await pool.run(pool_jobs.pid, deadline=soon()) == pid
        finally:
            await pool.close()

    asyncio.run(scenario())


def test_a_confined_process_can_compute_and_import_but_neither_read_nor_write_nor_connect(
    tmp_path: Path,
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")

    async def scenario() -> None:
        pool = DecoderPool(pool_jobs.context, size=1, confined=True)
        await pool.start()
        try:
            assert await pool.run(pool_jobs.encoded, "ﾃﾞ", "euc_jp", deadline=soon()) == "ﾃﾞ".encode("euc_jp")
            assert await pool.run(pool_jobs.environment, deadline=soon()) == []
            can = await pool.run(pool_jobs.can, str(secret), str(tmp_path / "new"), deadline=soon())
        finally:
            await pool.close()
        if can["landlock"]:
            assert not can["read"]
            assert not can["write"]
        assert can["cores"] == 0
        assert can["descriptors"] == 64
        assert can["new_privileges"] == 0

    os.environ["QRSR_API_KEYS"] = "not a child's business"
    try:
        asyncio.run(scenario())
    finally:
        del os.environ["QRSR_API_KEYS"]


def test_every_job_is_answered_while_processes_are_killed() -> None:
    async def scenario() -> None:
        async with pool_of(size=2) as pool:
            over = asyncio.Event()

            async def client(number: int) -> int:
                asked = 0
                while not over.is_set():
                    name = f"{number} {asked}"
                    assert await pool.run(pool_jobs.echo, name, deadline=soon()) == name
                    asked += 1
                return asked

            async def killer() -> None:
                for kills in range(1, 4):
                    os.kill(pool.pids[0], signal.SIGKILL)
                    # One at a time, so that no job meets its end twice.
                    while pool.counters.restarts < kills:
                        await asyncio.sleep(0.01)
                over.set()

            *asked, _ = await asyncio.gather(*map(client, range(4)), killer())
            assert all(asked)

    asyncio.run(scenario())


def test_a_job_whose_process_crashes_is_tried_once_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            flag = str(tmp_path / "flag")
            assert await pool.run(pool_jobs.die_once, flag, deadline=soon()) == "second"

    asyncio.run(scenario())


def test_job_that_always_crashes_is_given_up_and_the_pool_lives_on() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            with pytest.raises(JobCrashedError):
                await pool.run(pool_jobs.die, deadline=soon())
            assert pool.counters.crashes == 2
            assert await pool.run(pool_jobs.pid, deadline=soon()) in pool.pids

    asyncio.run(scenario())


@pytest.mark.parametrize("job", [pool_jobs.stop_for_good, pool_jobs.hang])
def test_hanging_job_hits_its_deadline_and_its_process_ends(job: Callable[[list[str]], None]) -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            (victim,) = pool.pids
            with pytest.raises(JobTimeoutError):
                await pool.run(job, deadline=time.monotonic() + 0.2)
            assert pool.counters.timeouts == 1
            assert await pool.run(pool_jobs.pid, deadline=soon()) != victim
            assert gone(victim)

    asyncio.run(scenario())


def test_limit_of_a_job_does_not_count_the_wait_for_a_process() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            first = asyncio.create_task(pool.run(pool_jobs.sleep, 0.6, deadline=soon()))
            await until(lambda: pool.running == 1)
            assert await pool.run(pool_jobs.pid, deadline=soon(), limit=0.5) in pool.pids
            await first
            with pytest.raises(JobTimeoutError):
                await pool.run(pool_jobs.sleep, LONG, deadline=soon(), limit=0.1)

    asyncio.run(scenario())


def test_an_answer_that_came_while_the_loop_stood_still_is_heard() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            job = asyncio.create_task(pool.run(pool_jobs.sleep, 0.1, deadline=soon(), limit=0.3))
            await until(lambda: pool.running == 1)
            time.sleep(0.8)
            assert await job in pool.pids
            assert (pool.counters.timeouts, pool.counters.restarts) == (0, 0)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())


def test_deadline_passes_in_the_queue_and_harms_nobody() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            first = asyncio.create_task(pool.run(pool_jobs.sleep, 0.5, deadline=soon()))
            await until(lambda: pool.running == 1)
            with pytest.raises(JobTimeoutError):
                await pool.run(pool_jobs.pid, deadline=time.monotonic() + 0.1)
            assert await first in pool.pids
            assert pool.counters.restarts == 0
            assert (pool.running, pool.waiting) == (0, 0)

    asyncio.run(scenario())


def test_a_caller_that_leaves_costs_no_process(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            (pid,) = pool.pids
            started = tmp_path / "started"
            job = asyncio.create_task(
                pool.run(pool_jobs.sleep, 0.3, str(started), deadline=soon(), limit=LONG)
            )
            await until(started.exists)
            job.cancel()
            with pytest.raises(asyncio.CancelledError):
                await job
            assert pool.running == 1, "it finishes what it has begun"
            assert await pool.run(pool_jobs.echo, "next", deadline=soon()) == "next", (
                "and answers the right one"
            )
            assert pool.pids == [pid]
            assert pool.counters.restarts == 0

    asyncio.run(scenario())


def test_what_a_caller_has_left_behind_still_ends_at_its_limit(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            (victim,) = pool.pids
            started = tmp_path / "started"
            job = asyncio.create_task(
                pool.run(pool_jobs.sleep, LONG, str(started), deadline=soon(), limit=0.5)
            )
            await until(started.exists)
            job.cancel()
            assert await pool.run(pool_jobs.pid, deadline=soon()) != victim
            assert gone(victim)

    asyncio.run(scenario())


def test_a_deadline_before_the_limit_costs_no_process() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            (pid,) = pool.pids
            with pytest.raises(JobTimeoutError):
                await pool.run(pool_jobs.sleep, 0.5, deadline=time.monotonic() + 0.1, limit=LONG)
            assert await pool.run(pool_jobs.pid, deadline=soon()) == pid
            assert (pool.counters.timeouts, pool.counters.restarts) == (1, 0)

    asyncio.run(scenario())


def test_failing_job_says_what_kind_of_error_and_not_more() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            with pytest.raises(JobFailedError, match=r"^ValueError$"):
                await pool.run(pool_jobs.fail, deadline=soon())
            assert pool.counters.restarts == 0

    asyncio.run(scenario())


def test_a_failed_job_leaves_no_picture_to_garbage_collection() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            picture = np.zeros((64, 64), np.uint8)
            kept = weakref.ref(picture)
            gc.collect()
            gc.disable()
            try:
                with suppress(JobFailedError):
                    await pool.run(pool_jobs.fail_over, picture, deadline=soon())
                del picture
                # What woke this task is held until it pauses again.
                await asyncio.sleep(0)
                assert kept() is None
            finally:
                gc.enable()

    asyncio.run(scenario())


def test_process_is_recycled_after_its_share() -> None:
    async def scenario() -> None:
        async with pool_of(tasks_per_process=3) as pool:
            (first,) = pool.pids
            for _ in range(3):
                assert await pool.run(pool_jobs.pid, deadline=soon()) == first
            await until(lambda: pool.counters.restarts == 1 and gone(first))
            assert await pool.run(pool_jobs.pid, deadline=soon()) != first
            assert len(pool.pids) == 1

    asyncio.run(scenario())


def test_process_that_works_while_its_successor_starts_finishes_its_job() -> None:
    async def scenario() -> None:
        async with pool_of(tasks_per_process=1) as pool:
            (first,) = pool.pids
            await pool.run(pool_jobs.pid, deadline=soon())
            assert await pool.run(pool_jobs.sleep, 1.5, deadline=soon()) == first
            assert pool.counters.crashes == 0
            await until(lambda: gone(first))

    asyncio.run(scenario())


def test_context_that_cannot_be_built_is_told_at_the_start() -> None:
    async def scenario() -> None:
        pool = DecoderPool(jobs.Readers, "no files", size=2)
        with pytest.raises(PoolError, match="did not start"):
            await pool.start()
        assert pool.pids == []

    asyncio.run(scenario())


def test_context_that_takes_too_long_is_told_at_the_start() -> None:
    async def scenario() -> None:
        pool = DecoderPool(pool_jobs.slow_context, size=1, start_timeout=0.2)
        with pytest.raises(PoolError, match="not ready"):
            await pool.start()
        assert pool.pids == []

    asyncio.run(scenario())


def test_close_ends_processes_at_work() -> None:
    async def scenario() -> None:
        pool = DecoderPool(pool_jobs.context, size=2)
        await pool.start()
        pids = pool.pids
        job = asyncio.create_task(pool.run(pool_jobs.sleep, LONG, deadline=soon()))
        await until(lambda: pool.running == 1)
        await pool.close()
        assert all(gone(pid) for pid in pids)
        with pytest.raises(PoolError):
            await job

    asyncio.run(scenario())


def test_decoder_process_loads_neither_web_framework_nor_engine() -> None:
    sample = samples()["ascii"]

    async def scenario() -> None:
        pool = DecoderPool(jobs.Readers, None, size=1, memory_bytes=4 << 30, confined=True)
        await pool.start()
        try:
            for attempt in ATTEMPTS:
                light = sample.image
                picture = light if attempt.picture != "logits" else light / np.float16(32) - 4
                found = await pool.run(attempt.job, picture, attempt.name, deadline=soon())
                assert [reading.payload for reading in found] == [sample.payload]
            loaded = {name.partition(".")[0] for name in await pool.run(pool_jobs.modules, deadline=soon())}
        finally:
            await pool.close()
        assert {"cv2", "zxingcpp", "numpy"} <= loaded
        assert not loaded & {
            "fastapi",
            "starlette",
            "uvicorn",
            "pydantic",
            "onnxruntime",
            "torch",
            "PIL",
            "scipy",
        }

    asyncio.run(scenario())


def test_an_answer_to_another_request_is_no_answer() -> None:
    async def scenario() -> None:
        async with process_alone() as process:
            assert await asked(process, pack(pool_jobs.echo, ("mine",), LONG)) == "mine"
            request = pack(pool_jobs.echo, ("another's",), LONG)
            with pytest.raises(ProcessDiedError):
                await asked(process, replace(request, number=request.number + 1))
            assert not process.has_room(1)

    asyncio.run(scenario())


def message(header: bytes) -> bytes:
    return len(header).to_bytes(4, "little") + bytes(8) + header


@pytest.mark.parametrize(
    "answer",
    [
        b"\xff" * 64,
        bytes(64),
        message(b"\xc1"),
        message(packed([])),
        message(packed(1)),
        message(packed([1, True])),
    ],
    ids=["too long", "longer than it says", "not MessagePack", "nothing", "a number", "too little"],
)
def test_a_process_that_talks_nonsense_is_not_asked_again(answer: bytes) -> None:
    async def scenario() -> None:
        async with process_alone() as process:
            # Past the loop of the child, over the channel that it inherited.
            with pytest.raises(ProcessDiedError):
                await asked(process, pack(pool_jobs.say, (answer,), LONG))
            assert not process.has_room(1)

    asyncio.run(scenario())


def test_a_process_that_says_more_than_it_was_asked_is_not_asked_again() -> None:
    async def scenario() -> None:
        async with process_alone() as process:
            request = pack(pool_jobs.say, (b"",), LONG)
            # The answer itself, and whatever comes after it.
            twice = message(packed([request.number, True, None])) + b"?"
            assert (
                await asked(process, replace(request, parts=pack(pool_jobs.say, (twice,), LONG).parts))
                is None
            )
            await until(lambda: process.ending is not None)
            assert not process.has_room(1)

    asyncio.run(scenario())


def test_a_large_picture_goes_through_on_either_event_loop() -> None:
    picture = np.arange(1 << 22, dtype=np.uint32)

    async def scenario() -> None:
        async with pool_of() as pool:
            back = await pool.run(pool_jobs.echo_array, picture, deadline=soon())
            np.testing.assert_array_equal(back, picture)

    asyncio.run(scenario())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())
