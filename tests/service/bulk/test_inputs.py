"""Which files a folder or a list stands for, and in which order."""

import csv
import json
import os
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from service.bulk import inputs
from service.bulk.file_lists import ListError, listed
from service.bulk.job import enlarged_name


def below(
    root: Path, source: str, *, match: tuple[str, ...] = (), leave_out: tuple[str, ...] = ()
) -> list[str]:
    return list(inputs.folder_or_file(source, root=str(root), match=match, leave_out=leave_out))


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_names_are_sorted_by_their_bytes_and_begin_as_the_source_does(tmp_path: Path) -> None:
    touch(tmp_path, "in/b.png", "in/a/z.png", "in/a.png", "in/B.png", "in/ä.png", "in/a/y/x.png")
    expected = ["in/B.png", "in/a.png", "in/a/y/x.png", "in/a/z.png", "in/b.png", "in/ä.png"]
    assert below(tmp_path, "in") == expected
    assert below(Path("/"), str(tmp_path / "in")) == [str(tmp_path / name) for name in expected]


def test_a_source_that_is_no_folder_is_itself(tmp_path: Path) -> None:
    assert below(tmp_path, "missing.png") == ["missing.png"]


def test_hidden_names_linked_folders_and_the_run_s_own_files_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.png", "in/.b.png", "in/.git/c.png", "in/out/d.png", "in/r.parquet", "else/e.png")
    (tmp_path / "in/linked").symlink_to(tmp_path / "else")
    (tmp_path / "in/self").symlink_to(tmp_path / "in")
    (tmp_path / "in/file").symlink_to(tmp_path / "else/e.png")
    (tmp_path / "in/broken").symlink_to(tmp_path / "nowhere")
    own = (str(tmp_path / "in/out"), str(tmp_path / "in/r.parquet"))
    assert below(tmp_path, "in", leave_out=own) == ["in/a.png", "in/broken", "in/file"]
    # Named by itself a linked folder is entered.
    assert below(tmp_path, "in/linked") == ["in/linked/e.png"]


def test_patterns_are_for_the_files_own_names(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg/x.png", "a.jpg/y.jpg", "z.webp")
    assert below(tmp_path, ".", match=("*.jpg", "*.webp")) == ["./a.jpg/y.jpg", "./z.webp"]


def test_a_folder_that_cannot_be_listed_is_a_name_that_fails_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "in/a.png", "in/closed/b.png")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert below(tmp_path, "in") == ["in/a.png", "in/closed"]


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no text")
def test_bytes_that_are_no_text_come_through(tmp_path: Path) -> None:
    name = os.fsdecode(b"in/\xff.png")
    touch(tmp_path, name)
    assert below(tmp_path, "in") == [name]
    (tmp_path / "list.txt").write_bytes(b"in/\xff.png\n")
    assert list(listed(str(tmp_path / "list.txt"), column=None)) == [name]


def test_names_that_do_not_fit_in_memory_are_sorted_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "_SORTING_KIB", 100)
    monkeypatch.setattr(inputs, "_walk", lambda *_: (f"{(n * 7919) % 20_011:06d}" for n in range(20_011)))
    names = inputs.folder_or_file(".", root=str(tmp_path), match=(), leave_out=())
    assert all(name == f"./{number:06d}" for number, name in enumerate(names))


NAMES = ["a.png", "b, c.png", 'say "d".png', "e/ü.png"]


def write(path: Path) -> None:
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"id": range(4), "path": NAMES}), path)
    elif path.suffix in (".csv", ".tsv"):
        with path.open("w", newline="") as stream:
            rows = csv.writer(stream, delimiter="\t" if path.suffix == ".tsv" else ",")
            rows.writerows([("id", "path"), *enumerate(NAMES)])
    elif path.suffix in (".jsonl", ".ndjson"):
        path.write_text("".join(json.dumps({"id": 1, "path": name}) + "\n" for name in NAMES))
    else:
        path.write_text("\n\r\n".join(NAMES))


@pytest.mark.parametrize("name", ["x.parquet", "x.csv", "x.tsv", "x.jsonl", "x.ndjson", "x.txt", "x"])
def test_lists_of_every_form_give_the_same_names(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    assert list(listed(str(tmp_path / name), column=None)) == NAMES
    if "." in name and name != "x.txt":
        assert list(listed(str(tmp_path / name), column="path")) == NAMES
        with pytest.raises(ListError, match="no column 'crop'"):
            list(listed(str(tmp_path / name), column="crop"))


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbfpath\r\na.png\r\n")
    (tmp_path / "x.txt").write_bytes(b"\xef\xbb\xbfa.png\n")
    assert [*listed(str(tmp_path / "x.csv"), column=None)] == ["a.png"]
    assert [*listed(str(tmp_path / "x.txt"), column=None)] == ["a.png"]


def test_strings_alone_are_lines_of_json_too(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('"a.png"\n\n"b.png"')
    assert [*listed(str(tmp_path / "x.jsonl"), column=None)] == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.csv", "crop,label\na,b\n", "name the column, one of crop, label"),
        ("x.csv", "id,path\n1\n", "line 2: no file name"),
        ("x.csv", 'path\n"a\n', "line 2"),
        ("x.csv", "", "name the column"),
        ("x.jsonl", '"a"\n{"path": 3}\n', "line 2: no file name"),
        ("x.jsonl", '"a"\nno json\n', "line 2"),
        ("x.parquet", "no parquet", "x.parquet"),
        ("missing.txt", None, "No such file"),
    ],
)
def test_a_list_that_is_not_understood_says_where(
    tmp_path: Path, name: str, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ListError, match=said):
        list(listed(str(tmp_path / name), column=None))


def test_no_two_files_share_an_enlarged_name() -> None:
    names = (
        "a.png",
        "a.jpg",
        "a.jpg.x4.png",
        "/r/_abs/a.png",
        "../a.png",
        "/a.png",
        "b/a.png",
        "_abs/r/_abs/a.png",
    )
    places = [str(enlarged_name(name, root="/r", kind="png")) for name in names]
    assert len(set(places)) == len(names) - 1  # `../a.png` and `/a.png` are one file
    assert places[:5] == [
        "a.png.x4.png",
        "a.jpg.x4.png",
        "a.jpg.x4.png.x4.png",
        "_abs/r/_abs/a.png.x4.png",
        "_abs/a.png.x4.png",
    ]
    assert enlarged_name("x/../a.png", root="/r", kind="webp") == enlarged_name(
        "a.png", root="/r", kind="webp"
    )
    assert all(".." not in place and not place.startswith("/") for place in places)
