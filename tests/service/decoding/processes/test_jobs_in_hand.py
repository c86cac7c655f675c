"""Decoder processes that have the next jobs in hand while they are at one."""

import asyncio
import os
import signal
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from service.decoding.processes.errors import JobCrashedError, JobTimeoutError
from service.decoding.processes.pool import MOST_IN_HAND, DecoderPool
from tests.service.decoding.processes import pool_jobs
from tests.service.decoding.processes.test_pool import LONG, gone, pool_of, soon, until

pytestmark = pytest.mark.processes


def brief(pool: DecoderPool, seconds: float, started: str = "") -> Coroutine[Any, Any, int]:
    return pool.run(pool_jobs.sleep, seconds, started, deadline=soon(), brief=True)


def test_a_process_has_a_few_brief_jobs_in_hand() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            work = [asyncio.create_task(brief(pool, 0.1)) for _ in range(MOST_IN_HAND + 2)]
            await asyncio.sleep(0)
            assert (pool.running, pool.waiting) == (MOST_IN_HAND, 2)
            assert await asyncio.gather(*work) == pool.pids * len(work)
            assert (pool.running, pool.waiting) == (0, 0)

    asyncio.run(scenario())


def test_nothing_is_handed_over_behind_a_job_that_may_take_long() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            first = asyncio.create_task(brief(pool, 0.1))
            second = asyncio.create_task(pool.run(pool_jobs.sleep, 0.1, deadline=soon()))
            third = asyncio.create_task(brief(pool, 0.1))
            await asyncio.sleep(0)
            assert (pool.running, pool.waiting) == (2, 1)
            await first
            assert (pool.running, pool.waiting) == (1, 1)
            await asyncio.gather(second, third)

    asyncio.run(scenario())


def test_who_has_the_least_to_do_is_given_the_next_job() -> None:
    async def scenario() -> None:
        async with pool_of(size=2) as pool:
            work = [asyncio.create_task(brief(pool, 0.2)) for _ in range(4)]
            done = await asyncio.gather(*work)
            assert sorted(done) == sorted(pool.pids * 2)

    asyncio.run(scenario())


def test_answers_that_come_together_are_each_their_own() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            names = [str(number) for number in range(MOST_IN_HAND)]
            work = [
                asyncio.create_task(pool.run(pool_jobs.echo, name, deadline=soon(), brief=True))
                for name in names
            ]
            await asyncio.sleep(0)
            # The loop stands still meanwhile, and finds all of them at once.
            time.sleep(0.3)
            assert await asyncio.gather(*work) == names

    asyncio.run(scenario())


def test_who_ends_over_a_job_costs_those_behind_it_nothing() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            poison = asyncio.create_task(pool.run(pool_jobs.die, deadline=soon(), brief=True))
            others = [
                asyncio.create_task(pool.run(pool_jobs.echo, str(number), deadline=soon(), brief=True))
                for number in range(MOST_IN_HAND - 1)
            ]
            with pytest.raises(JobCrashedError):
                await poison
            assert await asyncio.gather(*others) == ["0", "1", "2"]
            assert (pool.counters.crashes, pool.counters.idle_exits) == (2, 0)

    asyncio.run(scenario())


def test_a_jobs_time_runs_from_when_it_is_begun() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            first = asyncio.create_task(brief(pool, 0.6))
            second = pool.run(pool_jobs.sleep, 0.1, deadline=soon(), limit=0.4)
            assert list(await asyncio.gather(first, second)) == pool.pids * 2
            assert (pool.counters.timeouts, pool.counters.restarts) == (0, 0)

    asyncio.run(scenario())


def test_who_exceeds_its_limit_costs_those_behind_it_nothing() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            (victim,) = pool.pids
            late = asyncio.create_task(pool.run(pool_jobs.hang, deadline=soon(), limit=0.2, brief=True))
            behind = asyncio.create_task(pool.run(pool_jobs.pid, deadline=soon(), brief=True))
            with pytest.raises(JobTimeoutError):
                await late
            assert await behind != victim
            assert (pool.counters.timeouts, pool.counters.crashes) == (1, 0)
            assert gone(victim)

    asyncio.run(scenario())


def test_a_deadline_that_passes_in_hand_costs_no_process() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            before = pool.pids
            first = asyncio.create_task(brief(pool, 0.5))
            await until(lambda: pool.running == 1)
            with pytest.raises(JobTimeoutError, match="before"):
                await pool.run(pool_jobs.sleep, 0.02, deadline=time.monotonic() + 0.1, brief=True)
            # Its answer comes all the same, and is nobody's.
            assert await pool.run(pool_jobs.echo, "next", deadline=soon()) == "next"
            await first
            assert pool.pids == before
            assert (pool.counters.timeouts, pool.counters.restarts) == (1, 0)

    asyncio.run(scenario())


def test_a_caller_that_leaves_what_is_in_hand_harms_nobody() -> None:
    async def scenario() -> None:
        async with pool_of() as pool:
            first = asyncio.create_task(brief(pool, 0.2))
            second = asyncio.create_task(pool.run(pool_jobs.echo, "left", deadline=soon(), brief=True))
            third = asyncio.create_task(pool.run(pool_jobs.echo, "stays", deadline=soon(), brief=True))
            await until(lambda: pool.running == 3)
            second.cancel()
            assert await third == "stays"
            assert first.done()
            assert second.cancelled()

    asyncio.run(scenario())


def test_a_process_that_is_recycled_does_what_it_has_in_hand() -> None:
    async def scenario() -> None:
        async with pool_of(tasks_per_process=MOST_IN_HAND) as pool:
            (first,) = pool.pids
            work = [asyncio.create_task(brief(pool, 0.8)) for _ in range(MOST_IN_HAND)]
            assert await asyncio.gather(*work) == [first] * MOST_IN_HAND
            await until(lambda: gone(first) and pool.counters.restarts == 1)
            assert await pool.run(pool_jobs.pid, deadline=soon()) in pool.pids
            assert len(pool.pids) == 1
            assert pool.counters.crashes == 0

    asyncio.run(scenario())


def test_who_is_killed_while_its_successor_starts_is_succeeded_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pool_of(tasks_per_process=2) as pool:
            first = await pool.run(pool_jobs.pid, deadline=soon())
            started = tmp_path / "started"
            job = asyncio.create_task(pool.run(pool_jobs.sleep, LONG, str(started), deadline=soon()))
            await until(started.exists)
            os.kill(first, signal.SIGKILL)
            await until(lambda: pool.counters.restarts == 1)
            job.cancel()
            # Whoever was started as well is not kept.
            await until(lambda: len(pool.pids) == 1)
            assert first not in pool.pids

    asyncio.run(scenario())
