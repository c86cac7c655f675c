"""URLs as printed in symbols: shop and shortener links, tracking, application links."""

import random

from training.payloads import words
from training.payloads.tokens import BASE62, coined, digits, drawn, hexadecimal, host, identifier, word

_EXTENSIONS = words.listed("html htm php asp aspx jsp pdf jpg png json xml txt cgi do zip apk mp4 mp3")
_PARAMETERS = words.listed("""id q p t s u c v a r ref code lang hl k key token page utm_source utm_medium utm_campaign utm_content uid pid
cid sid type name url data amount cat item src source qr tid hash user no num sn table store order product session view
action mode date locale country gclid fbclid key1 x y z from to lat lng zoom text title body subject phone""")
_SHORT = words.listed(
    "en de fr es it nl ja zh us uk en-us de-de en_US v1 v2 r s p c t q d e m i a g x 01 1 2 qr"
)
_CAMPAIGN = words.listed(
    "qr qrcode qr_code print flyer poster email newsletter social web offline packaging store box label"
)


def url(rng: random.Random) -> str:
    """One URL."""
    form = rng.random()
    if form < 0.08:
        made = rng.choice(words.SHORTENERS) + "/" + drawn(rng, BASE62, 4, 9)
    elif form < 0.2:
        made = _service(rng)
    else:
        made = host(rng) + _path(rng) + _query(rng)
        if rng.random() < 0.04:
            made += "#" + rng.choice([word(rng), identifier(rng), "/" + word(rng)])
    return _scheme(rng) + made


def _scheme(rng: random.Random) -> str:
    form = rng.random()
    if form < 0.56:
        return "https://"
    if form < 0.92:
        return "http://"
    return rng.choice(["HTTPS://", "HTTP://", "", "", "Http://", "ftp://"])


def _path(rng: random.Random) -> str:
    if rng.random() < 0.18:
        return ""
    if rng.random() < 0.15:
        return "/"
    parts = [_segment(rng) for _ in range(rng.choices([1, 2, 3, 4], [40, 32, 18, 10])[0])]
    made = "/" + "/".join(parts)
    ending = rng.random()
    if ending < 0.2:
        made += "." + rng.choice(_EXTENSIONS)
    elif ending < 0.38:
        made += "/"
    return made


def _segment(rng: random.Random) -> str:
    form = rng.random()
    if form < 0.42:
        return word(rng)
    if form < 0.52:
        joint = rng.choice("--_+")
        return joint.join(word(rng) for _ in range(rng.randint(2, 4)))
    if form < 0.57:
        return word(rng).capitalize()
    if form < 0.62:
        return word(rng).capitalize() + word(rng).capitalize()
    if form < 0.68:
        return rng.choice(
            [
                "en",
                "de",
                "fr",
                "es",
                "it",
                "nl",
                "ja",
                "zh",
                "us",
                "uk",
                "en-us",
                "de-de",
                "en_US",
                "v1",
                "v2",
                "r",
                "s",
                "p",
                "c",
                "t",
                "q",
                "d",
                "e",
                "m",
                "i",
                "a",
                "g",
                "x",
                "01",
                "1",
                "2",
                "qr",
            ]
        )
    if form < 0.72:
        return coined(rng)
    if form < 0.77:
        return f"{rng.randint(1998, 2030)}"
    if form < 0.8:
        return f"{rng.randint(1, 12):02}"
    if form < 0.83:
        return word(rng) + digits(rng, 1, 4)
    return identifier(rng)


def _query(rng: random.Random) -> str:
    if rng.random() < 0.66:
        return ""
    pairs = []
    for _ in range(rng.choices([1, 2, 3, 4], [55, 25, 12, 8])[0]):
        key = rng.choice(_PARAMETERS)
        if key.startswith("utm_"):
            value = rng.choice(_CAMPAIGN) if rng.random() < 0.7 else word(rng)
        elif rng.random() < 0.3:
            value = word(rng)
        else:
            value = identifier(rng)
        pairs.append(f"{key}={value}")
    return "?" + "&".join(pairs)


def _service(rng: random.Random) -> str:
    """Links to services that many symbols use."""
    eleven = drawn(rng, BASE62 + "-_", 11, 11)
    return rng.choice([
        f"www.youtube.com/watch?v={eleven}",
        f"youtu.be/{eleven}",
        f"www.facebook.com/{word(rng)}{rng.choice(['', '.', word(rng)])}",
        f"www.instagram.com/{word(rng)}_{word(rng)}/",
        f"twitter.com/{word(rng)}{word(rng)}",
        f"x.com/{word(rng)}/status/{digits(rng, 19, 19)}",
        f"www.linkedin.com/in/{word(rng)}-{word(rng)}-{hexadecimal(rng, 6, 9)}",
        f"maps.google.com/maps?q={_degrees(rng, 90)},{_degrees(rng, 180)}",
        f"goo.gl/maps/{drawn(rng, BASE62, 11, 17)}",
        f"maps.app.goo.gl/{drawn(rng, BASE62, 17, 17)}",
        f"www.google.com/search?q={word(rng)}+{word(rng)}",
        f"play.google.com/store/apps/details?id=com.{word(rng)}.{word(rng)}",
        f"itunes.apple.com/us/app/{word(rng)}-{word(rng)}/id{digits(rng, 9, 10)}?mt=8",
        f"apps.apple.com/app/id{digits(rng, 9, 10)}",
        f"docs.google.com/forms/d/e/1FAIpQLS{drawn(rng, BASE62 + '-_', 44, 49)}/viewform",
        f"drive.google.com/file/d/{drawn(rng, BASE62 + '-_', 33, 33)}/view",
        f"en.wikipedia.org/wiki/{word(rng).capitalize()}_{word(rng)}",
        f"de.wikipedia.org/wiki/{word(rng).capitalize()}",
        f"en.m.wikipedia.org/wiki/{word(rng).capitalize()}",
        f"wa.me/{digits(rng, 10, 13)}",
        f"api.whatsapp.com/send?phone={digits(rng, 10, 13)}&text={word(rng)}",
        f"t.me/{word(rng)}_bot",
        f"u.wechat.com/{drawn(rng, BASE62 + '-_', 20, 24)}",
        f"weixin.qq.com/r/{drawn(rng, BASE62, 22, 26)}",
        f"qr.alipay.com/{drawn(rng, 'abcdefghijklmnopqrstuvwxyz0123456789', 18, 24)}",
        f"line.me/R/ti/p/{drawn(rng, BASE62, 10, 10)}",
        f"github.com/{word(rng)}/{word(rng)}-{word(rng)}",
        f"github.com/{word(rng)}/{word(rng)}/issues/{digits(rng, 1, 5)}",
        f"www.amazon.com/dp/B0{drawn(rng, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', 8, 8)}",
        f"www.ebay.com/itm/{digits(rng, 12, 12)}",
        f"open.spotify.com/track/{drawn(rng, BASE62, 22, 22)}",
        f"www.paypal.com/qrcodes/managed/{hexadecimal(rng, 8, 8)}",
        f"paypal.me/{word(rng)}",
        f"zoom.us/j/{digits(rng, 9, 11)}?pwd={drawn(rng, BASE62, 32, 32)}",
        f"teams.microsoft.com/l/meetup-join/19%3ameeting_{drawn(rng, BASE62, 20, 40)}",
        f"q-r.to/{drawn(rng, BASE62, 4, 6)}",
        f"id.gs1.org/01/{digits(rng, 14, 14)}/10/{drawn(rng, BASE62, 4, 8)}",
        f"qr.{word(rng)}.com/{identifier(rng)}",
        f"www.qrcode.com/{word(rng)}/",
    ])  # fmt: skip


def _degrees(rng: random.Random, most: int) -> str:
    return f"{rng.uniform(-most, most):.{rng.randint(3, 7)}f}"
