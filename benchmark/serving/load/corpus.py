"""Uploads with known answers, drawn from a seed; none of them is in a training or test set."""

import base64
import io
import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import zxingcpp
from PIL import Image

from benchmark.serving import images
from benchmark.serving.load.client import Answer, Call, Judge, form, request


@dataclass(frozen=True, slots=True)
class Upload:
    """An image file and its content."""

    data: bytes
    content: str
    width: int
    height: int


def clear(rng: random.Random) -> Upload:
    """A symbol at 3 to 6 pixels a module: zxing-cpp reads it from the upload."""
    content = _content(rng)
    pixels = images.symbol(content, scale=rng.choice((3, 4, 6)))
    return _encoded(pixels, content, rng.choice(("PNG", "JPEG", "WEBP")))


def small(rng: random.Random) -> Upload:
    """A symbol at 2 pixels a module, cheap to enlarge and plain enough that zxing-cpp reads the enlarged picture."""
    content = _content(rng)
    return _encoded(images.symbol(content, scale=2), content, "PNG")


def faint(rng: random.Random) -> Upload:
    """A symbol at 1.25 pixels a module, blurred by its size, noisy, as a JPEG: needs the generator."""
    content = _content(rng)
    large = Image.fromarray(images.symbol(content, scale=8)).convert("RGB")
    side = round(large.width / 8 * 1.25)
    pixels = np.asarray(large.resize((side, side), Image.Resampling.BOX), float) * 0.7 + 30
    noise = np.random.default_rng(rng.randrange(2**31)).normal(0, 4, pixels.shape)
    return _encoded(np.clip(pixels + noise, 0, 255).astype(np.uint8), content, "JPEG", quality=60)


def crop(rng: random.Random) -> Upload:
    """A crop of 128x128 as JPEG of quality 10 with a symbol in it, the form of the paper's protocol."""
    content = _content(rng, 40)
    large = Image.fromarray(images.symbol(content, scale=12)).convert("RGB")
    pixels = np.asarray(
        large.resize((512, 512), Image.Resampling.BICUBIC).resize((128, 128), Image.Resampling.BOX)
    )
    return _encoded((pixels * 0.7 + 30).astype(np.uint8), content, "JPEG", quality=10)


def dense(rng: random.Random) -> Upload:
    """A crop of 128x128 as JPEG of quality 50 with a symbol of 150 characters at about 2 pixels a module, which
    zxing-cpp does not read before it is enlarged."""
    content = _content(rng, 130)
    large = Image.fromarray(images.symbol(content, scale=8)).convert("RGB")
    pixels = np.asarray(large.resize((512, 512), Image.Resampling.BICUBIC), float)
    blurred = cv2.GaussianBlur(pixels, (0, 0), 4.5).reshape(128, 4, 128, 4, 3).mean(axis=(1, 3))
    return _encoded((blurred * 0.7 + 30).astype(np.uint8), content, "JPEG", quality=50)


@cache
def uploads(kind: str, count: int = 64, seed: int = 7) -> tuple[Upload, ...]:
    """`count` uploads of a kind; `mix` is half clear and half faint."""
    rng = random.Random(f"{kind} {seed}")
    if kind == "mix":
        halves = zip(uploads("clear", count // 2, seed), uploads("faint", count // 2, seed), strict=True)
        return tuple(itertools.chain.from_iterable(halves))
    make = {"clear": clear, "faint": faint, "crop": crop, "dense": dense}[kind]
    return tuple(make(rng) for _ in range(count))


def reads(content: str) -> Judge:
    """The judge of `/decode`: this payload, alone."""

    def judge(answer: Answer) -> str | None:
        if answer.status != 200:
            return failure(answer)
        payloads = [base64.b64decode(found["payload_base64"]) for found in json.loads(answer.body)["symbols"]]
        if payloads == [content.encode()]:
            return None
        return "misread" if payloads else "not read"

    return judge


def enlarges(upload: Upload, *, own_symbol: bool = False) -> Judge:
    """The judge of `/upscale`: four times the size and, if requested, with the upload's own symbol."""

    def judge(answer: Answer) -> str | None:
        if answer.status != 200:
            return failure(answer)
        image = Image.open(io.BytesIO(answer.body))
        if image.size != (4 * upload.width, 4 * upload.height):
            return f"size {image.size}"
        if not own_symbol:
            return None
        found = [code.text for code in zxingcpp.read_barcodes(np.asarray(image.convert("L")))]
        return None if found == [upload.content] else "another's image" if found else "no symbol in it"

    return judge


def accepted(answer: Answer) -> str | None:
    """The judge that accepts any answer."""
    return None if answer.status == 200 else failure(answer)


def failure(answer: Answer) -> str:
    """The text of a refusal; problems quote nothing of an upload."""
    return f"status {answer.status}: {answer.body[:300].decode(errors='replace')}"


def decode_calls(kind: str, count: int = 64) -> list[Call]:
    """`/decode` for each upload of a kind."""
    return [Call(request("/decode", form(one.data)), reads(one.content)) for one in uploads(kind, count)]


def upscale_calls(kind: str, count: int = 64) -> list[Call]:
    """`/upscale` for each upload of a kind."""
    return [Call(request("/upscale", form(one.data)), accepted) for one in uploads(kind, count)]


def forever(calls: list[Call]) -> Iterator[Call]:
    """The calls in an endless cycle."""
    return itertools.cycle(calls)


def _content(rng: random.Random, length: int = 9) -> str:
    return "https://example.org/" + "".join(rng.choices("0123456789abcdefghijklmnopqrstuvwxyz", k=length))


def _encoded(pixels: images.Pixels, content: str, kind: str, **options: int) -> Upload:
    return Upload(images.encode(pixels, kind, **options), content, pixels.shape[1], pixels.shape[0])
