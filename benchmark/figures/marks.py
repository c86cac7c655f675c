"""Figures in documents: text between the marks `<!-- NAME:begin -->` and `<!-- NAME:end -->` of a Markdown file.

The prose around the marks is written by hand. Only a command writes the text between them.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from benchmark.errors import BenchmarkError


def filled(text: str, name: str, part: str) -> str:
    """The document's text with `part` between the marks of `name`.

    Raises:
        BenchmarkError: the text does not have exactly one such pair of marks.
    """
    marks = re.compile(rf"(<!-- {re.escape(name)}:begin -->\n).*?(<!-- {re.escape(name)}:end -->)", re.DOTALL)
    new, count = marks.subn(lambda found: found[1] + part.strip() + "\n" + found[2], text)
    if count != 1:
        raise BenchmarkError(f"the document has {count} places for {name}, <!-- {name}:begin --> to its end")
    return new


def fill(document: Path, parts: Mapping[str, str]) -> None:
    """Write all `parts`, by their names, into a document. The document is not changed if one of them has no place.

    Raises:
        BenchmarkError: see `filled`.
    """
    text = document.read_text(encoding="utf-8")
    for name, part in parts.items():
        text = filled(text, name, part)
    document.write_text(text, encoding="utf-8")
