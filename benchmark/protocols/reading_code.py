"""The state of the code that decides what is read, so that a count of misreads names its code."""

import ast
import zlib
from pathlib import Path

from benchmark.paths import ROOT

DECODING = ROOT / "service" / "decoding"
NOT_READING = ("processes", "charsets", "drawing", "naming")
"""Modules and folders that do not affect which bytes are read: the processes carry pictures and answers, the others
turn a payload into text or draw its symbol again. Everything else in the folder counts."""
_PROCESSES = "service.decoding.processes"


def modules(folder: Path = DECODING) -> list[str]:
    """The modules under `folder` that decide a reading, by their path without suffix, in the order of names."""
    found = sorted(str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.py"))
    return [name for name in found if name.split("/")[0] not in NOT_READING]


def fingerprint(folder: Path = DECODING) -> str:
    """CRC-32 of the `modules` under `folder`, as eight hex digits.

    Docstrings, comments, layout and imports from the decoder processes do not count. Another minor version of Python
    may represent the same code differently and so give another fingerprint.
    """
    crc = 0
    for name in modules(folder):
        tree = ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))
        code = ast.unparse(_Code().visit(tree))
        crc = zlib.crc32(f"{name}\n{code}\n".encode(), crc)
    return f"{crc:08x}"


class _Code(ast.NodeTransformer):
    """Removes everything that no reading depends on."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        # A body must not be empty, so a docstring becomes an ellipsis.
        return ast.Expr(ast.Constant(...)) if is_text else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if (node.module or "").startswith(_PROCESSES) else node
