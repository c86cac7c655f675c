"""English prose that comes with every Python: the topics of its help (PSF License 2.0)."""

import re
from functools import lru_cache
from pydoc_data.topics import topics

_SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z])")


@lru_cache(maxsize=1)
def sentences() -> tuple[str, ...]:
    """Sentences of the topics' paragraphs, without code, lists and tables."""
    found = []
    for topic in topics.values():
        for paragraph in re.split(r"\n\s*\n", topic):
            lines = paragraph.splitlines()
            if any(line.startswith("   ") for line in lines):
                continue
            text = re.sub(r"[*`\"_|]", "", " ".join(lines))
            found += [one for one in _SENTENCE.split(text) if _is_prose(one)]
    return tuple(found)


def _is_prose(sentence: str) -> bool:
    plain = sum(letter.isalpha() or letter in " ,.'-" for letter in sentence)
    return 25 <= len(sentence) <= 400 and sentence.isascii() and plain >= 0.97 * len(sentence)
