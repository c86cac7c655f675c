"""Random pieces of payloads: words, names, numbers, identifiers. Every function takes a source of random numbers."""

import random
import string
from typing import Final

from training.payloads import words

BASE62: Final = string.ascii_letters + string.digits
BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

_SUFFIXES: Final = list(words.SUFFIXES)
_SUFFIX_WEIGHTS: Final = list(words.SUFFIXES.values())
_SUBDOMAINS: Final = words.listed(
    "m app shop qr go my en de api docs blog info web static play maps apps mobile cdn id"
)
_COUNTRIES: Final = words.listed("1 1 44 49 33 34 39 31 41 43 48 81 86 55 61 91 7 90 46 47 65 852")
_CONSONANTS: Final = "bcdfghjklmnprstvwz"
_VOWELS: Final = "aeiou"


def drawn(rng: random.Random, alphabet: str, low: int, high: int) -> str:
    """`low` to `high` characters of an alphabet."""
    return "".join(rng.choices(alphabet, k=rng.randint(low, high)))


def digits(rng: random.Random, low: int, high: int) -> str:
    """A decimal number with `low` to `high` digits, including leading zeros."""
    return drawn(rng, string.digits, low, high)


def hexadecimal(rng: random.Random, low: int, high: int) -> str:
    """Hexadecimal digits, all in one case."""
    return drawn(rng, "0123456789abcdef" if rng.random() < 0.8 else "0123456789ABCDEF", low, high)


def word(rng: random.Random) -> str:
    """A lower-case word."""
    return rng.choice(words.COMMON if rng.random() < 0.75 else words.FOREIGN)


def coined(rng: random.Random) -> str:
    """An invented name, made of syllables."""
    syllables = (
        rng.choice(_CONSONANTS) + rng.choice(_VOWELS) + rng.choice(["", "", "n", "r", "s", "l", "x"])
        for _ in range(rng.randint(2, 3))
    )
    return "".join(syllables)


def suffix(rng: random.Random) -> str:
    """A public suffix."""
    return rng.choices(_SUFFIXES, _SUFFIX_WEIGHTS)[0]


def name(rng: random.Random) -> tuple[str, str]:
    """A random given and family name."""
    return rng.choice(words.GIVEN), rng.choice(words.FAMILY)


def company(rng: random.Random) -> str:
    """Name of a company."""
    kind = rng.choice(["GmbH", "Ltd", "Inc.", "AG", "LLC", "SA", "Co., Ltd.", "S.r.l.", "B.V.", "e.V.", "AB"])
    return f"{word(rng).capitalize()} {rng.choice([word(rng).capitalize(), kind])}"


def telephone(rng: random.Random) -> str:
    """A telephone number in a usual notation."""
    country = rng.choice(_COUNTRIES)
    number = digits(rng, 7, 10)
    form = rng.random()
    if form < 0.5:
        return f"+{country}{number}"
    if form < 0.7:
        return f"+{country} {number[:3]} {number[3:6]} {number[6:]}"
    if form < 0.85:
        return f"0{number}"
    return f"{number[:3]}-{number[3:6]}-{number[6:]}"


def host(rng: random.Random) -> str:
    """Name of a host with its public suffix."""
    form = rng.random()
    if form < 0.16:
        base = rng.choice(words.BRANDS)
    elif form < 0.42:
        base = word(rng)
    elif form < 0.62:
        base = word(rng) + word(rng)
    elif form < 0.74:
        base = word(rng) + "-" + word(rng)
    elif form < 0.82:
        base = (
            rng.choice(words.PLACES).lower()
            if rng.random() < 0.5
            else word(rng) + rng.choice(words.PLACES).lower()
        )
    elif form < 0.92:
        base = coined(rng)
    elif form < 0.96:
        base = drawn(rng, string.ascii_lowercase, 2, 4)
    else:
        base = word(rng) + digits(rng, 1, 3)
    sub = rng.random()
    if sub < 0.42:
        front = "www."
    elif sub < 0.62:
        front = (
            rng.choice(
                [
                    "m",
                    "app",
                    "shop",
                    "qr",
                    "go",
                    "my",
                    "en",
                    "de",
                    "api",
                    "docs",
                    "blog",
                    "info",
                    "web",
                    "static",
                    "play",
                    "maps",
                    "apps",
                    "mobile",
                    "cdn",
                    "id",
                ]
            )
            + "."
        )
    elif sub < 0.67:
        front = word(rng) + "."
    else:
        front = ""
    return f"{front}{base}.{suffix(rng)}"


def identifier(rng: random.Random) -> str:
    """An identifier as from databases and link shorteners."""
    form = rng.random()
    if form < 0.3:
        return digits(rng, 1, 10)
    if form < 0.55:
        return drawn(rng, BASE62, 4, 12)
    if form < 0.65:
        return drawn(rng, BASE62 + "-_", 10, 24)
    if form < 0.8:
        return hexadecimal(rng, 6, 32)
    if form < 0.87:
        parts = (hexadecimal(rng, size, size).lower() for size in (8, 4, 4, 4, 12))
        return "-".join(parts)
    if form < 0.94:
        return drawn(rng, string.ascii_uppercase + string.digits, 4, 12)
    return drawn(rng, string.ascii_uppercase, 2, 4) + rng.choice(["-", ""]) + digits(rng, 3, 8)


def day(rng: random.Random, separator: str = "") -> str:
    """A date, year first."""
    parts = f"{rng.randint(1990, 2032)}", f"{rng.randint(1, 12):02}", f"{rng.randint(1, 28):02}"
    return separator.join(parts)


def gs1_number(number: str) -> str:
    """The number and its check digit by weights 3 and 1 from the right (GS1 General Specifications, 7.9)."""
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(number)))
    return number + str(-total % 10)
