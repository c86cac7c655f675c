"""Whatever call a run dies at, the next one gives the result of a run that lived."""

import asyncio
import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model_store.manifest import load_generator
from service.bulk import workspace as places
from service.bulk.job import Job, Made, Sources, Work
from service.bulk.pool import drive
from service.bulk.tables import Summary, error_row, table
from service.bulk.workspace import Part, Workspace, WorkspaceError, finished
from service.settings import Settings
from tests.builders.model import TINY, write_copy, write_tiny_model

NAMES = [f"{number}.png" for number in range(10)]
JOB = Job(
    sources=Sources(root="/", paths=("in",), lists=(), column=None, match=()),
    work=Work(command="read"),
    made=Made(model="m", version=1, sha256="0" * 64, wechat_nets=True, limits={"tile": 64}),
)


class Pool:
    """Errors of a file's own for rows, and how often each file was worked on."""

    slots = 2

    def __init__(self) -> None:
        self.worked: list[str] = []

    async def table(self, names: Sequence[str]) -> pa.Table:
        self.worked += names
        return table(
            (error_row(name, "file_empty" if name[0] < "5" else "other", name) for name in names), JOB.work
        )


def run(
    result: Path, pool: Pool, names: Callable[[], Iterator[str]] = lambda: iter(NAMES), part: int = 3
) -> Summary:
    """All that a command does, from the first call to the last."""
    workspace = Workspace(result)
    with workspace.held():
        if ended := finished(result):
            workspace.remove()
            return ended[1]
        began = workspace.job()
        size = began[1] if began else part
        workspace.begin(JOB, size, names)
        left = (part for part in workspace.parts(size) if not workspace.done(part))
        asyncio.run(drive(pool, workspace, left, lambda *_: None))
        return workspace.merge(JOB, workspace.parts(size))


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """The result of a run that lived."""
    run(tmp_path / "whole.parquet", Pool())
    return (tmp_path / "whole.parquet").read_bytes()


class Killed(BaseException):
    pass


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["replace", "fsync", "mkdir", "rmtree"])
def test_a_run_may_die_before_or_after_any_call_that_changes_the_disk(
    tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch, call: str, when: str
) -> None:
    result = tmp_path / "r.parquet"
    # Nobody pulls the plug here, so nothing has to reach the disk.
    monkeypatch.setattr(os, "fsync", lambda _: None)
    module: Any = {"rmtree": shutil, "mkdir": Path}.get(call, os)
    original = getattr(module, call)

    def dying_at(last: int) -> Callable[..., Any]:
        numbers = itertools.count(1)  # calls come from several threads

        def dying(*arguments: Any, **options: Any) -> Any:
            number = next(numbers)
            if number == last and when == "before":
                raise Killed
            value = original(*arguments, **options)
            if number == last:
                raise Killed
            return value

        return dying

    for deaths in itertools.count():
        try:
            with monkeypatch.context() as patch:
                patch.setattr(module, call, dying_at(deaths + 1))
                run(result, Pool())
        except Killed:
            assert not result.exists() or finished(result) is not None, "half a result has its name"
            run(result, Pool())
        else:
            break
        assert result.read_bytes() == whole
        assert sorted(path.name for path in tmp_path.iterdir()) == ["r.parquet", "whole.parquet"]
        result.unlink()
    assert deaths >= (8 if call in ("replace", "fsync") else 1)


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    workspace, pool = Workspace(tmp_path / "r.parquet"), Pool()
    with workspace.held():
        workspace.begin(JOB, 3, lambda: iter(NAMES))
        first, second, *_ = workspace.parts(3)
        for part in (first, second):
            workspace.put(part, asyncio.run(Pool().table(part.names)))
        # The second is cut, as by a disk that was full.
        path = workspace.folder / "part-00000001.parquet"
        path.write_bytes(path.read_bytes()[:-20])
    summary = run(tmp_path / "r.parquet", pool, names=lambda: pytest.fail("listed again"))
    assert sorted(pool.worked) == sorted(NAMES[3:])
    assert (summary.files, summary.nothing, summary.errors) == (10, 0, {"file_empty": 5, "other": 5})
    assert pq.read_table(tmp_path / "r.parquet")["file"].to_pylist() == NAMES
    again = Pool()
    assert run(tmp_path / "r.parquet", again) == summary
    assert again.worked == []


def test_the_size_of_parts_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_ROWS_IN_GROUP", 4)
    for part in (1, 3, 7, 100):
        run(tmp_path / f"{part}.parquet", Pool(), part=part)
    results = [(tmp_path / f"{part}.parquet").read_bytes() for part in (1, 3, 7, 100)]
    assert len(set(results)) == 1
    metadata = pq.read_metadata(tmp_path / "1.parquet")
    assert [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)] == [4, 4, 2]


def test_no_inputs_are_a_result_without_rows(tmp_path: Path) -> None:
    assert run(tmp_path / "r.parquet", Pool(), names=lambda: iter(())) == Summary()
    assert pq.read_table(tmp_path / "r.parquet").num_rows == 0


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    result = tmp_path / "r.parquet"
    for content in (b"notes", b""):
        result.write_bytes(content)
        with pytest.raises(WorkspaceError, match="not the result of such a run"):
            finished(result)
    pq.write_table(pa.table({"a": [1]}), result)
    with pytest.raises(WorkspaceError, match="not the result of such a run"):
        finished(result)
    workspace = Workspace(tmp_path / "other.parquet")
    with workspace.held():
        (workspace.folder / "_job.json").write_text('{"job": {}, "part": 1}')
        with pytest.raises(WorkspaceError, match="not understood"):
            workspace.job()


def test_two_runs_do_not_work_on_one_result(tmp_path: Path) -> None:
    with (
        Workspace(tmp_path / "r.parquet").held(),
        pytest.raises(WorkspaceError, match="another process works on"),
        Workspace(tmp_path / "r.parquet").held(),
    ):
        pytest.fail("both have it")


def test_no_more_parts_are_in_memory_than_the_pool_has_slots(tmp_path: Path) -> None:
    asked, ended = 0, 0

    def parts() -> Iterator[Part]:
        nonlocal asked
        for index in range(50):
            asked += 1
            assert asked - ended <= Pool.slots
            yield Part(index, (f"{index}.png",))

    def written(*_: object) -> None:
        nonlocal ended
        ended += 1

    workspace = Workspace(tmp_path / "r.parquet")
    with workspace.held():
        asyncio.run(drive(Pool(), workspace, parts(), written))
    assert ended == 50


def test_differences_are_named() -> None:
    other = JOB.model_copy(
        update={"made": JOB.made.model_copy(update={"version": 2, "limits": {"tile": 96}})}
    )
    assert JOB.differences(JOB) == []
    assert JOB.differences(other) == ["made.limits.tile", "made.version"]


def test_a_run_is_made_by_the_draft_as_well_whatever_the_machine_is_good_at(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path)
    settings = Settings(model_store=tmp_path, model=TINY)
    assert Made.by(settings).draft == ""
    manifest, _ = load_generator(write_copy(folder))
    assert Made.by(settings).draft == manifest.model.sha256
    assert Made.by(settings.model_copy(update={"drafts": "off"})).draft == ""
