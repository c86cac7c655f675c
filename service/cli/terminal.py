"""Text from files and symbols that is safe to print."""


def plain(text: str) -> str:
    """Escape line breaks and control characters, which a terminal would execute."""
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )
