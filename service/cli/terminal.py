"""Text from files and symbols, shown to people."""


def plain(text: str) -> str:
    """The same on one line, and nothing that a terminal would obey."""
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )
