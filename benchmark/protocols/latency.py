"""How long `/decode` takes on easy pictures and on the hardest, beside WeChat called directly, picture by picture."""

from typing import Any

import numpy as np

from benchmark.comparison.arms import NONE, Arm
from benchmark.comparison.farm import run_all
from benchmark.comparison.options import Options
from benchmark.comparison.readers import DECODE
from benchmark.comparison.results import Results, collect
from benchmark.figures.tables import table
from benchmark.sets.latency import EASY, KINDS, latency_items

COUNT = 25
"""Pictures of a kind."""
DECODE_ARM, WECHAT_ARM = Arm("lr", NONE, DECODE), Arm("lr", NONE, "wechat")


def run_latency(options: Options, count: int = COUNT) -> Results:
    """Both arms on `count` pictures of each kind, in one process; writes `latency.json`."""
    items = latency_items(count, options.seed, (WECHAT_ARM, DECODE_ARM))
    # One process, because two on one machine compete for memory bandwidth.
    taken = run_all(items, options.setup, 1, "latency")
    each = {
        str(arm): [round(one.shots[i].milliseconds, 2) for one in taken]
        for i, arm in enumerate((WECHAT_ARM, DECODE_ARM))
    }
    details = {"kinds": [item.kind for item in items], "each": each}
    results = collect(
        "latency", options.command, options.seed, options.environment(), items, taken, options.out, details
    )
    results.save(options.out / "latency.json")
    return results


def latency_report(results: Results) -> str:
    """Markdown: read, median, 95th percentile and longest by kind; the ratio to WeChat; the hardest kind."""
    kinds = np.array(results.details["kinds"])
    decode, wechat = (np.array(results.details["each"][str(arm)]) for arm in (DECODE_ARM, WECHAT_ARM))
    read = results.read(DECODE_ARM)
    rows, medians = [], {}
    for kind in KINDS:
        chosen = kinds == kind
        if not chosen.any():
            continue
        medians[kind] = float(np.median(decode[chosen]))
        rows.append(
            [kind, f"{read[chosen].sum()} of {chosen.sum()}", *_times(decode[chosen]),
             f"{np.median(wechat[chosen]):.1f}", f"{medians[kind] / np.median(wechat[chosen]):.2f}"]
        )  # fmt: skip
    head = ["picture", "read", "median", "95 %", "longest", "WeChat, median", "ratio of medians"]
    hardest = max(medians, key=medians.__getitem__)
    easy = np.isin(kinds, EASY)
    return "\n\n".join(
        [
            table(head, rows),
            f"Easy pictures together: {np.median(decode[easy]):.1f} ms against WeChat's "
            f"{np.median(wechat[easy]):.1f}, ratio {np.median(decode[easy]) / np.median(wechat[easy]):.2f}. "
            f"Hardest kind: {hardest}, {medians[hardest]:.0f} ms.",
        ]
    )


def _times(values: "np.ndarray[Any, np.dtype[np.float64]]") -> list[str]:
    return [f"{value:.1f}" for value in (np.median(values), np.percentile(values, 95), values.max())]
