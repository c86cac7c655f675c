"""Count of wrong payloads over very many pictures without a complete symbol, or with one that is hard to read.

There are two arms: the soft-decision reader on the generator's logits, and, on some of the trials, the whole cascade as
in the service, which takes many times as long. Trials are done in pieces. Each piece has a file of its own, so that a
run can be interrupted and continued; the file names the state of the reading code.
"""

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmark.comparison.arms import NONE, Arm, Taken
from benchmark.comparison.farm import Farm, take_item
from benchmark.comparison.options import Options
from benchmark.comparison.readers import DECODE, SOFT
from benchmark.comparison.upscalers import OURS
from benchmark.comparison.workbench import Workbench
from benchmark.errors import BenchmarkError
from benchmark.figures.tables import table
from benchmark.protocols.reading_code import fingerprint
from benchmark.sets.masked_photos import MaskedPhoto, mask_photos
from benchmark.sets.misreads import PHOTO, SHARES, WITH_PAYLOAD, Trial, trials
from benchmark.sets.photos import read_index
from scoring.outcomes import BOTH, CRASH, ERROR, MISREAD, READ, TIMEOUT
from service.decoding.soft.acceptance import DEFAULT_LIMIT

SOFT_ARM, DECODE_ARM = Arm("lr", OURS, SOFT), Arm("lr", NONE, DECODE)
PIECE = 500
"""Trials in a piece."""
Counts = dict[str, dict[str, dict[str, int]]]
"""Trials by kind, arm and outcome (letters as in `arms`)."""


@dataclass
class Misreads:
    """The outcomes of the trials so far."""

    command: str
    seed: int
    every: int
    """The cascade reads every `every`-th trial."""
    photographs: int
    """Number of photographs with crops among the trials."""
    environment: dict[str, Any]
    counts: Counts
    wrong: list[dict[str, Any]]
    """Number, kind, arm and payloads of every trial with a payload that it must not give."""
    code: dict[str, int]
    """Trials by the fingerprint of the reading code that did them."""
    seconds: float
    """Wall-clock time of all pieces, including drawing."""

    def tally(self, kinds: Sequence[str], arm: Arm) -> Counter[str]:
        """Outcomes of an arm over some kinds."""
        found: Counter[str] = Counter()
        for kind in kinds:
            found.update(self.counts.get(kind, {}).get(str(arm), {}))
        return found

    def with_other(self, other: "Misreads") -> "Misreads":
        """Both runs together; they must have different seeds, so that their trials differ.

        Raises:
            ValueError: they have the same seed, or different generators.
        """
        ours, theirs = (one.environment["upscalers"][OURS] for one in (self, other))
        if self.seed == other.seed or ours != theirs:
            raise ValueError("only runs of different seeds with one generator add up")
        counts: Counts = {}
        for one in (self, other):
            _add(counts, one.counts)
        code = {state: self.code.get(state, 0) + other.code.get(state, 0) for state in self.code | other.code}
        return replace(
            self,
            command=f"{self.command}\n{other.command}",
            counts=counts,
            wrong=self.wrong + other.wrong,
            code=code,
            seconds=round(self.seconds + other.seconds, 1),
        )

    @classmethod
    def load(cls, path: Path) -> "Misreads":
        """Read what `run_misreads` wrote."""
        return cls(**json.loads(path.read_text()))


@dataclass
class _Piece:
    """The trials of one file, counted."""

    seed: int
    every: int
    photographs: int
    model: str
    code: str
    seconds: float = 0.0
    counts: Counts = field(default_factory=dict)
    wrong: list[dict[str, Any]] = field(default_factory=list)

    def add(self, trial: Trial, taken: Taken) -> None:
        for arm, shot in zip(trial.arms, taken.shots, strict=True):
            outcomes = self.counts.setdefault(trial.kind, {}).setdefault(str(arm), {})
            outcomes[shot.outcome] = outcomes.get(shot.outcome, 0) + 1
            if shot.wrong:
                payloads = [payload.decode("latin-1") for payload in shot.wrong]
                self.wrong.append(
                    {"number": trial.number, "kind": trial.kind, "arm": str(arm), "payloads": payloads}
                )


def run_misreads(options: Options, count: int, every: int, minutes: float, photos: Path | None) -> Misreads:
    """Trials 0 to `count` - 1, as far as `minutes` allow; writes `misreads/*.json` and the file of the seed
    (`file_name`).

    Existing pieces with the same seed, model and share of the cascade are not repeated.

    Raises:
        BenchmarkError: there is no generator, or readers are missing.
    """
    if options.ours is None or not {SOFT, DECODE} <= set(options.readers):
        raise BenchmarkError("misreads are counted with a generator, the soft reader and the cascade")
    masked: tuple[MaskedPhoto, ...] = ()
    environment = options.environment()
    model = environment["upscalers"][OURS]
    begun, seconds = time.monotonic(), 60 * minutes
    folder = options.out / "misreads"
    folder.mkdir(parents=True, exist_ok=True)
    if photos is not None:
        masked = _masked(photos, options, folder)
    with Farm(replace(options.setup, shares=True), options.jobs) as farm:
        for first in range(0, count, PIECE):
            path = folder / f"{first:07d}.json"
            key = {"seed": options.seed, "every": every, "photographs": len(masked), "model": model}
            if _is_done(path, key):
                continue
            if time.monotonic() - begun > seconds:
                break
            piece = _Piece(**key, code=fingerprint())
            numbers = range(first, min(first + PIECE, count))
            items = trials(numbers, options.seed, SOFT_ARM, DECODE_ARM, every, masked)
            started = time.monotonic()
            for trial, taken in zip(items, farm.map(take_item, items, f"{first}"), strict=True):
                piece.add(trial, taken)
            piece.seconds = round(time.monotonic() - started, 1)
            path.write_text(json.dumps(asdict(piece)))
    results = _merged(options, every, len(masked), environment, folder)
    (options.out / file_name(options.seed)).write_text(json.dumps(asdict(results), indent=1) + "\n")
    return results


def file_name(seed: int) -> str:
    """Name of the file with the results of a seed; the published results may have several."""
    return f"misreads-{seed}.json" if seed else "misreads.json"


def misreads_report(results: Misreads) -> str:
    """Markdown."""
    kinds = [kind for kind in (*SHARES, PHOTO) if kind in results.counts]
    empty = [kind for kind in kinds if kind not in WITH_PAYLOAD]
    shown = [kind for kind in kinds if kind in WITH_PAYLOAD]
    groups = [(kind, [kind]) for kind in (*empty, *shown)]
    groups += [("**without a complete symbol**", empty), ("**with one**", shown), ("**all**", kinds)]
    rows = []
    for name, members in groups:
        row = [name]
        for arm in (SOFT_ARM, DECODE_ARM):
            tally = results.tally(members, arm)
            lost = tally[ERROR] + tally[CRASH] + tally[TIMEOUT]
            row += [f"{tally.total():,}", str(tally[READ]), str(tally[MISREAD] + tally[BOTH]), str(lost)]
        rows.append(row)
    head = ["trials of the kind"]
    for name in ("soft", "`decode`"):
        head += [name, "read", "wrong", "failed"]
    lines = [table(head, rows), ""]
    for arm, name in ((SOFT_ARM, "soft reader"), (DECODE_ARM, "cascade")):
        tally = results.tally(kinds, arm)
        if tally[MISREAD] + tally[BOTH] == 0:
            bound = 1 - 0.05 ** (1 / max(tally.total(), 1))
            lines.append(f"No wrong payload of the {name}: at most {bound:.1e} a trial at 95 % confidence.")
    done = results.tally(kinds, SOFT_ARM).total()
    lines.append(
        f"By the soft reader's own bound, {DEFAULT_LIMIT:g} a picture, at most {done * DEFAULT_LIMIT:.0e} wrong "
        f"payloads were expected of it in the {done:,} trials."
    )
    lines += [
        f"- trial {one['number']} ({one['kind']}), {one['arm'].replace('|', ' → ')}: {one['payloads']!r}"
        for one in results.wrong
    ]
    return "\n".join(lines)


def wrong(results: Misreads) -> int:
    """Trials of either arm with a payload that they must not give."""
    tallies = [results.tally(list(results.counts), arm) for arm in (SOFT_ARM, DECODE_ARM)]
    return sum(tally[MISREAD] + tally[BOTH] for tally in tallies)


def _masked(photos: Path, options: Options, folder: Path) -> tuple[MaskedPhoto, ...]:
    """The masked photographs; located once and kept, because that takes minutes."""
    kept = folder / "photographs.list"
    if kept.is_file():
        return tuple(
            MaskedPhoto(Path(path), tuple(map(tuple, corners)))
            for path, corners in json.loads(kept.read_text())
        )
    bench = Workbench(options.setup)
    masked = mask_photos(photos, read_index(photos), bench.wechat)
    kept.write_text(json.dumps([[str(one.path), one.corners] for one in masked]))
    return masked


def _is_done(path: Path, key: dict[str, Any]) -> bool:
    if not path.is_file():
        return False
    data = json.loads(path.read_text())
    if any(data[name] != value for name, value in key.items()):
        raise BenchmarkError(f"{path} is of another run; give another --out, or remove it")
    return True


def _merged(
    options: Options, every: int, photographs: int, environment: dict[str, Any], folder: Path
) -> Misreads:
    results = Misreads(options.command, options.seed, every, photographs, environment, {}, [], {}, 0.0)
    for path in sorted(folder.glob("*.json")):
        piece = _Piece(**json.loads(path.read_text()))
        _add(results.counts, piece.counts)
        done = sum(sum(arms[str(SOFT_ARM)].values()) for arms in piece.counts.values())
        results.code[piece.code] = results.code.get(piece.code, 0) + done
        results.wrong += piece.wrong
        results.seconds += piece.seconds
    results.seconds = round(results.seconds, 1)
    return results


def _add(total: Counts, counts: Counts) -> None:
    for kind, arms in counts.items():
        for arm, outcomes in arms.items():
            sums = total.setdefault(kind, {}).setdefault(arm, {})
            for outcome, number in outcomes.items():
                sums[outcome] = sums.get(outcome, 0) + number
