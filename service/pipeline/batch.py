"""Several uploads in one request: an answer or a problem for each."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from service.decoding.reading import Reading
from service.errors import ServiceError
from service.pipeline.answers import BatchAnswer, BatchEntry, DecodeQuery, problem_of
from service.pipeline.read_and_enlarge import find
from service.pipeline.runtime import Task
from service.pipeline.symbols import joined

_AT_ONCE = 2
"""Images of one request that are worked on at the same time: the others of its turns are for other requests."""

_log = logging.getLogger(__name__)


async def read_all(
    task: Task, items: Sequence[tuple[str | None, bytes | ServiceError]], query: DecodeQuery
) -> BatchAnswer:
    """Read every image, within the deadline that they share.

    Args:
        items: what the client calls each, and its bytes or why there are none.
    """
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(identity: str | None, data: bytes | ServiceError) -> tuple[BatchEntry, tuple[Reading, ...]]:
        try:
            if isinstance(data, ServiceError):
                raise data
            async with free:
                found = await find(replace(task, data=data), query)
        except ServiceError as error:
            return BatchEntry(id=identity, answer=None, problem=problem_of(error)), ()
        return BatchEntry.model_construct(id=identity, answer=found.answer, problem=None), found.readings

    done = await asyncio.gather(*(one(identity, data) for identity, data in items))
    readings = [reading for _, found in done for reading in found]
    return BatchAnswer.model_construct(answers=[entry for entry, _ in done], joined=joined(readings))
