"""Puts `docs/benchmark.md` together from results: no figure in it is typed by hand."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark.comparison import plots
from benchmark.comparison.results import Results
from benchmark.comparison.tables import arm_table
from benchmark.errors import BenchmarkError
from benchmark.figures.tables import table
from benchmark.paths import RESULTS
from benchmark.protocols.attempts import attempts_report
from benchmark.protocols.latency import latency_report
from benchmark.protocols.paper import paper_report
from benchmark.protocols.photos import photo_bars, photos_report
from benchmark.protocols.speed import load_speed, pareto, speed_report
from benchmark.protocols.sweep import plotted, sweep_report
from benchmark.sets.paper import RECIPE

PROTOCOLS = ("paper", "peers", "sweep", "photos", "attempts", "attempts-photos", "latency", "speed")

_HEAD = """# Benchmark

How many symbols each way of reading reads, how often it is wrong, and what it costs. This page is written by
`python -m benchmark report` from the JSON files in
[`benchmark/results/protocols`](../benchmark/results/protocols), each written by the command that stands above its
tables.

**What keeps it honest.** The pictures are drawn by a renderer and degradations of their own (NumPy and OpenCV,
with real JPEG codecs), which share no code and no payload with the training data; photographs are for measuring
only. All arms see the same pictures. A symbol counts as read when its payload comes back byte for byte and
nothing else with it; every wrong payload is counted, listed and its picture kept. Readers are used as their
libraries give them to everybody. `decode` is the service's cascade, `soft` the soft-decision reader on the
generator's logits, with the service's own time limits, counted in processor time so that a busy machine reads
as much as an idle one. WeChat has both its nets, checked by hash; without them the benchmark refuses to run.
Intervals are 95 %: Wilson's for rates, bootstrap over symbols for differences and critical points; p values are
McNemar's exact test on the discordant pairs. Milliseconds are processor time on one core.
"""

_PAPER = """The paper's own set is not public. Ours is drawn by the recipe in
`benchmark/sets/paper.py`: 1,000 phone pictures of 512x512 with one symbol each, and their
reductions to 128x128 (mean over areas) as JPEG of quality 10. The mix was set once, on WeChat
alone, to the paper's rates (.86 of HR, .69 of LR) and then frozen by the CRC-32 of every picture,
before any generator was judged on it; the command says so when other library versions draw other
pictures.
"""

_PEERS = """All upscalers and readers on the same pictures, from a run of its own, whose `paper.json` is kept as
`peers.json`. What a peer reads does not depend on our generator; which version of ours took part stands below.
"""

_SWEEP = """Pixels per module is what decides. The same symbols, turned and lit alike, are drawn at every
point of the axis. Families are defined in `scoring/families.py`; lengths of blur are in
pixels of the crop.
"""

_PHOTOS = """Photographs with known payloads: the symbol is located at full size by a reader that agrees with
the label, cut with four modules of margin, reduced (mean over areas) to the given pixels per
module where the photograph has more, and compressed. Neither photographs nor crops are part of
this repository.

Measure your own: a folder with an `index.jsonl`, one JSON object a line, `path` relative to the folder,
`payload` the symbol's text, and, if wanted, `set` to name a group:

``` {"path": "shelf/0001.jpg", "payload": "https://example.org/1", "set": "shelf"} ```

Then `python -m benchmark photos DIR`.

The photographs below are the 203 of the test sets `qrcode-1` to `qrcode-6` of zxing and `qrcode-2` of zxing-cpp.
Whatever differs from the index is listed as wrong. Of the payloads of `decode` that do, at native size, some are
symbols of mixed binary and Shift_JIS whose index holds a text, and zxing-cpp returns the same bytes.
`zxing_qrcode-2/13` is an artistic symbol that no other reader reads: the index says "photograph" where the payload
says "photography", a whole English sentence; we take the index to be wrong.
"""

_ATTEMPTS = """What each attempt of the service's cascade reads by itself and what it costs, on crops drawn like the
sweep's from another stream of random numbers. The order in `service/decoding/cascade.py` follows from it: at each
place stands what reads most crops a second of processor time among those that nothing before it read. WeChat, which
is left nothing here, stays in it for pictures unlike these. `draft-zxing` looks at what the generator's 8-bit copy
makes, where the CPU has instructions for that; `sr-zxing` is then left what the copy spoils. It stays before the
soft reader all the same: where there is no draft, as on a GPU, it is what reads most, and once the image is made it
costs next to nothing.
"""

_ATTEMPTS_PHOTOS = """The same where enlarging costs most and `/decode` leaves WeChat out, between 128x128 and 256x256
pixels: on photographs, none of which was used to train anything.
"""

_LATENCY = """Processor time of the whole cascade in one process, enlarging included, beside WeChat on the upload,
picture by picture. Time is spent where nothing can be read, since then every attempt has its turn. The service's
limits of time are not applied here, so the longest figures are above what a caller can meet.
"""

_SPEED = """Our generator and its peers, timed in turn in one run, on a crop of 128x128.
"""

_FOOT = """## Repeating it

```
peers="--peer fsrcnn=FSRCNN_x4.pb --peer espcn=ESPCN_x4.pb --peer realesr=realesr-general-x4v3.onnx"
python -m benchmark paper $peers
python -m benchmark sweep
python -m benchmark photos DIR
python -m benchmark attempts
python -m benchmark attempts --photos DIR
python -m benchmark latency
python -m benchmark speed $peers
python -m benchmark report --readme README.md
```

Results go to `runs/benchmark` (`--out`), misread pictures too. All cores are used (`--jobs`). `--model` judges
another generator, `--peer NAME=FILE` any network with one picture in and out, `--readers` and `--kernels`
choose the arms, `--seed` draws other symbols of the same kind. ZBar takes part where its library is installed
(Debian: `libzbar0`) and `pyzbar` with it.

## Regression floor

`make bench-quick` (`python -m benchmark quick`) reads 96 symbols of a fixed sweep and fails when an arm
reads fewer than its floor in `benchmark/protocols/floors.json`, or when the soft reader or the cascade returns a
wrong payload. A generator with random weights fails it; a test sees to that. `--set-floors` writes new floors
after a release.

## Limits

- Synthetic families are models of cameras, not cameras; the photographs are old and few.
- A reader with a time limit can flip a symbol at the limit between two runs; everything else is the same for
  the same seed, whatever the number of processes.
- Other versions of OpenCV, NumPy or segno, or a processor with other vector units, may draw single pixels
  differently.
"""


def write_report(out: Path, document: Path, results: Path = RESULTS / "protocols") -> None:
    """Take what has been measured in `out` over into `results`, then write the document and its pictures from them.

    Raises:
        BenchmarkError: nothing has been measured.
    """
    pictures = document.parent / document.stem
    for folder in (results, pictures):
        folder.mkdir(parents=True, exist_ok=True)
    for name in PROTOCOLS:
        source = out / f"{name}.json"
        if source.is_file():
            shutil.copyfile(source, results / source.name)
    present = [name for name in PROTOCOLS if (results / f"{name}.json").is_file()]
    if not present:
        raise BenchmarkError(f"{out} holds no results")
    parts = [_HEAD, *(_SECTIONS[name](results, pictures) for name in present), _FOOT]
    document.write_text("\n".join(part.strip() + "\n" for part in parts))


def _section(
    title: str,
    text: str,
    command: str,
    environment: dict[str, Any],
    name: str,
    body: str,
    *,
    plot: bool = True,
) -> str:
    parts = [f"## {title}", text.strip(), f"```\n{command}\n```", body, _where(environment)]
    if plot:
        parts.insert(3, f"![{title}](benchmark/{name}.png)")
    return "\n\n".join(parts)


def _paper(results_in: Path, pictures: Path) -> str:
    results = Results.load(results_in / "paper.json")
    plots.arms(results, "lr", pictures / "paper.png")
    recipe = {name: getattr(RECIPE, name) for name in RECIPE.__dataclass_fields__}
    rows = [[name, f"`{value}`"] for name, value in recipe.items()]
    body = paper_report(results) + "\n\n### Recipe\n\n" + table(["", "value"], rows)
    return _section("The paper's protocol", _PAPER, results.command, results.environment, "paper", body)


def _peers(results_in: Path, pictures: Path) -> str:
    del pictures
    results = Results.load(results_in / "peers.json")
    parts = [f"### {picture}, peers included\n\n{arm_table(results, picture)}" for picture in ("lr", "hr")]
    return _section(
        "Peers on the paper's protocol", _PEERS, results.command, results.environment, "peers",
        "\n\n".join(parts), plot=False,
    )  # fmt: skip


def _sweep(results_in: Path, pictures: Path) -> str:
    results = Results.load(results_in / "sweep.json")
    plots.sweep_curves(results, plotted(results), pictures / "sweep.png")
    body = sweep_report(results, every_rate=False)
    return _section("Pixels per module", _SWEEP, results.command, results.environment, "sweep", body)


def _photos(results_in: Path, pictures: Path) -> str:
    results = Results.load(results_in / "photos.json")
    plots.rate_bars(photo_bars(results), pictures / "photos.png", "share of the crops read")
    return _section(
        "Photographs", _PHOTOS, results.command, results.environment, "photos", photos_report(results)
    )


def _attempts(results_in: Path, pictures: Path) -> str:
    del pictures
    results = Results.load(results_in / "attempts.json")
    return _section(
        "The order of the readers", _ATTEMPTS, results.command, results.environment, "attempts",
        attempts_report(results), plot=False,
    )  # fmt: skip


def _attempts_photos(results_in: Path, pictures: Path) -> str:
    del pictures
    results = Results.load(results_in / "attempts-photos.json")
    return _section(
        "What photographs of middle size need", _ATTEMPTS_PHOTOS, results.command, results.environment,
        "attempts-photos", attempts_report(results), plot=False,
    )  # fmt: skip


def _latency(results_in: Path, pictures: Path) -> str:
    del pictures
    results = Results.load(results_in / "latency.json")
    return _section(
        "Milliseconds of an answer", _LATENCY, results.command, results.environment, "latency",
        latency_report(results), plot=False,
    )  # fmt: skip


def _speed(results_in: Path, pictures: Path) -> str:
    speed = load_speed(results_in / "speed.json")
    pareto(speed, pictures / "speed.png")
    return _section("Cost", _SPEED, speed.command, speed.environment, "speed", speed_report(speed))


_SECTIONS: dict[str, Callable[[Path, Path], str]] = {
    "paper": _paper,
    "peers": _peers,
    "sweep": _sweep,
    "photos": _photos,
    "attempts": _attempts,
    "attempts-photos": _attempts_photos,
    "latency": _latency,
    "speed": _speed,
}


def _where(environment: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    upscalers = ", ".join(f"{name}: {what}" for name, what in environment["upscalers"].items())
    missing = json.dumps(environment["missing"]) if environment["missing"] else "none"
    return (
        f"Measured on {environment['processor']}, {environment['system']}, Python {environment['python']}; {versions}. "
        f"WeChat's nets: {environment['wechat_nets']}. Upscalers: {upscalers or 'none'}. Readers left out: {missing}."
    )
