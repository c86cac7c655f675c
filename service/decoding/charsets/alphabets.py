"""Letters and signs of alphabets, and how often they stand in text: what tells one 8-bit encoding from another.

The shares are rounded from letter counts that are printed for each language; what decides between two encodings
differs by powers of ten.
"""

from collections.abc import Mapping
from math import exp, log
from typing import Final

FLOOR: Final = log(1e-6)
"""Of what a language does not have."""


def _ranked(letters: str, fall: float) -> dict[str, float]:
    """Log shares of letters that are given from the most frequent to the rarest, each a little rarer than the last."""
    shares = [exp(-rank / fall) for rank in range(len(letters))]
    return {letter: log(share / sum(shares)) for letter, share in zip(letters, shares, strict=True)}


def _counted(shares: str) -> dict[str, float]:
    """Log shares from pairs of a letter and its share of all letters, in percent."""
    return {pair[0]: log(float(pair[1:]) / 100) for pair in shares.split()}


# Scripts whose words hold no Latin letters, by the letters of lower case.
SCRIPTS: Final[Mapping[str, tuple[Mapping[str, float], ...]]] = {
    "cyrillic": (
        _ranked("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё", 9.0),
        _ranked("оаинтвреіслкдмпузягбьчйхжїцюєшщфґ'", 9.0),
        _ranked("аиоентрсвлкдпмзгуъбчцяжщшхюфьй", 8.0),
        _ranked("аиоенстрвкјдмплугзбшчцжљњћхђфџ", 8.0),
    ),
    "greek": (_ranked("αοιετσνρπκμλςυίόηάέγδχωήθβφύώζξψϊϋΐΰ", 9.0),),
    "hebrew": (_ranked("יוהלארתבשמנםעקדחכפצגטסזןךףץ", 9.0),),
    "arabic": (_ranked("اليمنروتبدهعسكقفحجشطصخةىضذزغثأإءآئؤظ", 9.0),),
    "thai": (_ranked("านรกอเง่ย้ิมวีลัดทสตบปคะุพจหขูใไ็ชแโ์ถผำธซณึศืภฟญษฐฉฝ๊ฏฎฮฤฒฬฆฌ๋ฯๆ๐๑๒๓๔๕๖๗๘๙", 14.0),),
}

# Letters beyond a to z of each language that is written with them, as shares of all its letters.
LATIN: Final[Mapping[str, Mapping[str, float]]] = {
    "german": _counted("ü.65 ä.55 ö.30 ß.31 é.01"),
    "french": _counted("é1.9 è.30 à.50 ê.23 ç.09 ù.06 â.05 ô.05 î.05 û.06 ë.01 ï.01 œ.02 ÿ.001 æ.001 ü.005"),
    "spanish": _counted("ó.83 í.73 á.50 é.43 ñ.31 ú.17 ü.01 ª.02 º.05 ç.005"),
    "portuguese": _counted("ã.73 á.48 ç.53 é.35 ó.30 ê.45 í.13 õ.10 ú.20 â.56 à.07 ô.06 ü.01 ª.03 º.07"),
    "italian": _counted("à.60 è.40 ì.05 ò.20 ù.17 é.05 º.02 ª.01"),
    "swedish": _counted("ä1.8 å1.3 ö1.3 é.03 ü.005"),
    "danish": _counted("æ.87 ø.94 å1.2 é.02 ö.01 ä.01"),
    "dutch": _counted("é.1 ë.1 ï.05 ü.01 è.03 ö.01 ê.01"),
    "polish": _counted("ł1.8 ą.99 ę1.1 ó.85 ż.83 ś.66 ć.40 ń.20 ź.06"),
    "czech": _counted("í3.3 á2.2 é1.3 ě1.6 ř1.2 š.80 č.95 ž.99 ý1.1 ů.69 ú.1 ť.04 ó.02 ň.01 ď.02"),
    "slovak": _counted("á2.0 í1.5 é.8 ý1.0 č1.0 š.9 ž.9 ľ.4 ť.5 ú.8 ô.2 ň.2 ä.1 ó.1 ď.2 ĺ.01 ŕ.01"),
    "hungarian": _counted("é3.9 á3.8 ö.9 ó1.0 ő.9 ü.6 í.6 ú.2 ű.15"),
    "romanian": _counted("ă2.1 î.9 ş1.1 ţ1.0 â.5"),
    "croatian": _counted("č.9 š.9 ž.7 ć.6 đ.3"),
    "turkish": _counted("ı5.1 ş1.8 ğ1.1 ü1.9 ö.8 ç1.2 İ.1 â.02 î.01"),
    "lithuanian": _counted("ė1.7 š1.2 ų1.0 ž.9 ū.5 į.5 č.4 ą.6 ę.2"),
    "latvian": _counted("ā3.9 ī1.8 ē1.7 ū.5 š.9 ņ.6 ļ.4 ķ.2 ģ.1 č.2 ž.3"),
    "estonian": _counted("ä1.8 õ1.1 ü.6 ö.3 š.02 ž.02"),
}

LATIN_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "western": (
        *("german", "german", "french", "french", "spanish", "spanish"),
        *("portuguese", "italian", "swedish", "danish", "dutch"),
    ),
    "central": ("polish", "czech", "slovak", "hungarian", "romanian", "croatian", "german"),
    "turkish": ("turkish",),
    "baltic": ("lithuanian", "latvian", "estonian"),
}
"""Languages of each group of 8-bit encodings, by their weight."""

SIGNS: Final[Mapping[str, float]] = _counted(
    "°.3 €.3 £.15 –.15 ’.3 “.1 ”.1 „.05 «.08 ».08 \u00a0.1 ®.06 ©.06 ™.05 §.05 ±.05 ².08 ³.04 ½.03 ×.05 µ.04 ·.05 "
    "….06 •.05 ¥.05 ¿.05 ¡.05 ‘.05 —.08 ¢.01 ¼.01 ¾.01 ‰.008 №.3 ÷.004 ´.02 ¬.002 ¦.002 ¨.002 ¸.0005 ¯.001 ¹.004 "
    "¤.0005 ¶.001 †.0005 ‡.0002 ˆ.0003 ˜.0003 ‹.002 ›.002 ‚.002 ƒ.002 ¡.02 ฿.1 ₪.1 ¨.001"
)
