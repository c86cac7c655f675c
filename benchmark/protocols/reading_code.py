"""The state of the code that decides what is read, so that a count of misreads says what it is a count of."""

import ast
import zlib
from pathlib import Path

from benchmark.paths import ROOT

DECODING = ROOT / "service" / "decoding"
MODULES = (
    *("cascade", "eci", "geometry", "half_precision", "jobs", "payload", "reading", "wechat", "zxing"),
    *("soft/__init__", "soft/acceptance", "soft/bitstream", "soft/block_search", "soft/characters"),
    *("soft/codewords", "soft/constellation", "soft/decode", "soft/effort", "soft/finder"),
    *(
        "soft/format_information",
        "soft/grid",
        "soft/homography",
        "soft/hypotheses",
        "soft/ordered_statistics",
    ),
    *(
        "soft/padding",
        "soft/pictures",
        "soft/reader",
        "soft/reed_solomon",
        "soft/refinement",
        "soft/sampling",
    ),
    *("soft/search", "soft/symbol_layout"),
)
"""What decides a reading. The processes that run it (`processes/`) only carry pictures and answers."""
_PROCESSES = "service.decoding.processes"


def fingerprint(folder: Path = DECODING) -> str:
    """CRC-32 of the `MODULES` under `folder`, as eight hex digits.

    Docstrings, comments, layout and what is imported from the decoder processes do not count. Another minor version
    of Python may write the same code differently and so give another fingerprint.
    """
    crc = 0
    for name in MODULES:
        tree = ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))
        code = ast.unparse(_Code().visit(tree))
        crc = zlib.crc32(f"{name}\n{code}\n".encode(), crc)
    return f"{crc:08x}"


class _Code(ast.NodeTransformer):
    """Leaves out what no reading depends on."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        # A body must not be empty, so a docstring becomes an ellipsis.
        return ast.Expr(ast.Constant(...)) if is_text else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if (node.module or "").startswith(_PROCESSES) else node
