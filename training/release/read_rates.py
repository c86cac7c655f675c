"""Decode rates for a manifest: what WeChat reads of held-out crops, and of their enlargements."""

from pathlib import Path

import numpy as np
from tqdm import trange

from model_store.manifest import GeneratorContract, ManifestError, ReadRate, load_third_party
from scoring.cases import picture
from scoring.families import FAMILIES
from scoring.generator import Image, Upscale, generator, session_of
from scoring.outcomes import BOTH, MISREAD, READ, judge
from scoring.symbols import draw_symbol
from service.decoding.wechat import WeChatFiles, WeChatReader

VERSIONS = range(2, 11)
"""QR versions of the crops, in turn."""
SEED = 0x4D0DE1
_CELLS = (("camera", 1.4), ("camera", 1.2), ("jpeg-10", 1.75))
"""Families of degradation with LR pixels per module."""


class ReaderMissingError(Exception):
    """WeChat's nets are missing or incomplete. Without them WeChat would be another reader."""


def read_rates(model: Path, contract: GeneratorContract, wechat: Path, crops: int) -> tuple[ReadRate, ...]:
    """Decode rates of the exported generator `model` (ONNX) over `crops` crops of each kind.

    The crops come from `scoring`, which shares neither code nor payloads with the training data. WeChat is used with
    the defaults of its library.

    Args:
        contract: the generator's.
        wechat: folder of WeChat's nets.

    Raises:
        ReaderMissingError: the nets are missing or incomplete.
    """
    try:
        load_third_party(wechat)
    except ManifestError as error:
        raise ReaderMissingError(
            f"WeChat's nets: {error}; `python -m model_store fetch` brings them"
        ) from error
    reader = WeChatReader(WeChatFiles.in_folder(wechat))
    upscale = generator(session_of(model, 1), contract.multiple, contract.readable)
    return tuple(_read_rate(reader, upscale, family, px, crops) for family, px in _CELLS)


def _read_rate(
    wechat: WeChatReader, upscale: Upscale, family: str, px_per_module: float, crops: int
) -> ReadRate:
    outcomes = {"lr": [], "sr": []}  # type: dict[str, list[str]]
    for number in trange(crops, desc=f"crops of {family}, {px_per_module} px", unit="crop"):
        seed = [SEED, number]
        rng = np.random.default_rng(seed)
        symbol = draw_symbol(VERSIONS[number % len(VERSIONS)], rng)
        lr = picture(FAMILIES[family](rng), symbol, px_per_module, seed)
        outcomes["lr"].append(judge(_payloads(wechat, lr), (symbol.payload,)))
        outcomes["sr"].append(judge(_payloads(wechat, upscale(lr).sr), (symbol.payload,)))
    share = {which: found.count(READ) / crops for which, found in outcomes.items()}
    return ReadRate(
        benchmark=f"{family}, {px_per_module} px per module, versions {VERSIONS[0]}-{VERSIONS[-1]}",
        command="python -m training export",
        reader="wechat",
        symbols=crops,
        read_lr=round(share["lr"], 4),
        read_sr=round(share["sr"], 4),
        misread=sum(found.count(MISREAD) + found.count(BOTH) for found in outcomes.values()),
    )


def _payloads(wechat: WeChatReader, image: Image) -> list[bytes]:
    return [payload for payload, _ in wechat.detect(image)]
