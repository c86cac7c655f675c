"""A finished run: the outcomes of every arm on every item, and everything needed to check and repeat it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from benchmark.comparison.arms import WHOLE, Arm, Item, Taken, parse_arm
from scoring.outcomes import BOTH, CRASH, ERROR, MISREAD, READ, TIMEOUT

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Misread:
    """A wrong payload. Payloads are the benchmark's own, so they may be shown."""

    item: str
    arm: str
    outcome: str
    wrong: list[str]
    image: str | None
    """File in the run's folder with the picture that the reader got."""


@dataclass(frozen=True, slots=True)
class Results:
    """One run of one protocol. `figures` are the same for the same seed; `milliseconds` are not."""

    protocol: str
    command: str
    seed: int
    environment: dict[str, Any]
    items: list[str]
    outcomes: dict[str, str]
    """By arm, one letter an item (see `arms`); blank if the arm was not tried on it."""
    milliseconds: dict[str, dict[str, float]]
    """By arm: median, mean and 95th percentile of the processor time of upscaling and reading, one core."""
    misreads: list[Misread] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    """Further data of the protocol."""

    def arms(self) -> list[Arm]:
        """In the order in which they were tried."""
        return [parse_arm(name) for name in self.outcomes]

    def read(self, arm: Arm) -> NDArray[np.bool_]:
        """`(items,)`: whether the payload was read, and nothing else unless the picture is a whole photograph."""
        right = (READ, BOTH) if arm.picture == WHOLE else (READ,)
        return np.array([outcome in right for outcome in self.outcomes[str(arm)]])

    def tried(self, arm: Arm) -> NDArray[np.bool_]:
        """`(items,)`: on which items the arm was tried."""
        return np.array([outcome != " " for outcome in self.outcomes[str(arm)]])

    def wrong(self, arm: Arm) -> int:
        """Items with a wrong payload, alone or beside the right one."""
        return sum(outcome in (MISREAD, BOTH) for outcome in self.outcomes[str(arm)])

    def failed(self, arm: Arm) -> dict[str, int]:
        """Exceptions, crashes and timeouts, if there are any."""
        names = {ERROR: "exceptions", CRASH: "crashes", TIMEOUT: "timeouts"}
        text = self.outcomes[str(arm)]
        return {name: text.count(letter) for letter, name in names.items() if letter in text}

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        data = {name: getattr(self, name) for name in self.__dataclass_fields__}
        data["misreads"] = [
            {name: getattr(misread, name) for name in Misread.__dataclass_fields__}
            for misread in self.misreads
        ]
        path.write_text(json.dumps({"schema": SCHEMA, **data}, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ValueError: the file has another schema or no results.
        """
        data = json.loads(path.read_text())
        if data.pop("schema", None) != SCHEMA:
            raise ValueError(f"{path}: not a result of this benchmark")
        data["misreads"] = [Misread(**misread) for misread in data["misreads"]]
        return cls(**data)


def collect(
    protocol: str,
    command: str,
    seed: int,
    environment: dict[str, Any],
    items: Sequence[Item],
    taken: Sequence[Taken],
    out: Path,
    details: dict[str, Any],
) -> Results:
    """Combine the workers' answers; misread pictures are kept under `out`/misreads."""
    arms = list(dict.fromkeys(arm for item in items for arm in item.arms))
    letters = {arm: [" "] * len(items) for arm in arms}
    times: dict[Arm, list[float]] = {arm: [] for arm in arms}
    misreads = []
    for i, (item, one) in enumerate(zip(items, taken, strict=True)):
        for arm, shot in zip(item.arms, one.shots, strict=True):
            letters[arm][i] = shot.outcome
            times[arm].append(shot.milliseconds)
            if shot.wrong:
                image = None
                if shot.evidence:
                    image = f"misreads/{item.name}-{str(arm).replace('|', '-')}.png"
                    (out / "misreads").mkdir(parents=True, exist_ok=True)
                    (out / image).write_bytes(shot.evidence)
                wrong = [payload.decode("latin-1") for payload in shot.wrong]
                misreads.append(Misread(item.name, str(arm), shot.outcome, wrong, image))
    return Results(
        protocol,
        command,
        seed,
        environment,
        [item.name for item in items],
        {str(arm): "".join(letters[arm]) for arm in arms},
        {str(arm): _timing(times[arm]) for arm in arms},
        misreads,
        details,
    )


def _timing(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    array = np.array(values)
    return {
        "median": round(float(np.median(array)), 2),
        "mean": round(float(array.mean()), 2),
        "p95": round(float(np.percentile(array, 95)), 2),
    }
