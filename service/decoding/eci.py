"""Extended Channel Interpretations: the character sets that a symbol can name."""

from typing import Final

# AIM ECI Character Set Register, as Python codec names. 899 (8-bit binary data) is left out on purpose.
ECI_CODECS: Final[dict[int, str]] = {
    0: "cp437",
    1: "iso8859-1",
    2: "cp437",
    **{number: f"iso8859-{number - 2}" for number in range(3, 19) if number != 14},
    20: "shift_jis",
    21: "cp1250",
    22: "cp1251",
    23: "cp1252",
    24: "cp1256",
    25: "utf-16-be",
    26: "utf-8",
    27: "ascii",
    28: "big5",
    29: "gb18030",
    30: "euc_kr",
    31: "gbk",
    32: "gb18030",
    33: "utf-16-le",
    34: "utf-32-be",
    35: "utf-32-le",
    170: "ascii",
}
