"""The input files of a run, in an order that does not depend on the file system."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from fnmatch import fnmatchcase

_SORTING_KIB = 65_536
"""Memory for sorting; beyond it SQLite sorts in temporary files."""


def folder_or_file(
    source: str, *, root: str, match: Sequence[str], leave_out: Sequence[str]
) -> Iterator[str]:
    """Names of the files below `source`, or `source` itself if it is not a folder.

    Sorted by their bytes, whatever order the file system has. Left out are names that begin with a dot, files that no
    pattern matches, and links to folders. What cannot be listed is a name of its own, and fails when it is read.

    Args:
        source: path, relative to `root` or absolute. Names begin with it as it is given.
        root: absolute path.
        match: patterns as in `fnmatch`, any of which a file's own name must match; none lets all pass.
        leave_out: absolute paths, links resolved, of what is not listed and not entered.
    """
    base = os.path.realpath(os.path.join(root, source))
    if not os.path.isdir(base):
        yield source
        return
    found = _walk(base, match, frozenset(leave_out))
    with closing(sqlite3.connect("")) as database:  # an empty name: a temporary database, on disk when large
        database.execute(f"PRAGMA cache_size = -{_SORTING_KIB}")
        database.execute("CREATE TABLE names (name BLOB PRIMARY KEY) WITHOUT ROWID")
        database.executemany(
            "INSERT OR IGNORE INTO names VALUES (?)", ((os.fsencode(name),) for name in found)
        )
        for (name,) in database.execute("SELECT name FROM names ORDER BY name"):
            yield os.path.join(source, os.fsdecode(name)) if name else source


def _walk(base: str, match: Sequence[str], leave_out: frozenset[str]) -> Iterator[str]:
    """Paths below `base`, relative to it, in any order; empty for `base` itself."""
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(os.path.join(base, folder)) as entries:
                for entry in entries:
                    name = os.path.join(folder, entry.name)
                    if entry.name.startswith(".") or os.path.join(base, name) in leave_out:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(name)
                    elif not _is_linked_folder(entry) and (not match or _matches(entry.name, match)):
                        yield name
        except OSError:
            yield folder


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_linked_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:
        return False
