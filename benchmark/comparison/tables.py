"""Markdown tables of results."""

from collections.abc import Sequence

from benchmark.comparison.arms import NONE, Arm
from benchmark.comparison.results import Results
from benchmark.figures.statistics import difference, mcnemar, wilson
from benchmark.figures.tables import interval, signed, table


def label(arm: Arm) -> str:
    """The arm's name in tables: `WeChat`, `bicubic → wechat`."""
    return arm.reader if arm.upscaler == NONE else f"{arm.upscaler} → {arm.reader}"


def arm_table(results: Results, picture: str, *, with_time: bool = True) -> str:
    """Every arm of one picture: read, misread, failed, milliseconds."""
    rows = []
    for arm in results.arms():
        tried = int(results.tried(arm).sum())
        if arm.picture != picture or not tried:
            continue
        read = int(results.read(arm).sum())
        failed = ", ".join(f"{count} {name}" for name, count in results.failed(arm).items()) or "0"
        row = [label(arm), str(tried), interval(wilson(read, tried)), str(results.wrong(arm)), failed]
        times = results.milliseconds[str(arm)]
        rows.append([*row, f"{times['median']:.0f}", f"{times['p95']:.0f}"] if with_time else row)
    head = ["arm", "symbols", "read [95 %]", "misread", "failed"]
    return table([*head, "ms, median", "ms, 95th percentile"] if with_time else head, rows)


def paired_table(results: Results, baseline: Arm, arms: Sequence[Arm]) -> str:
    """What each arm reads and the baseline does not, and the reverse, on the symbols that both tried."""
    rows = []
    for arm in arms:
        both = results.tried(arm) & results.tried(baseline)
        ours, theirs = results.read(arm)[both], results.read(baseline)[both]
        gained, lost = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
        gap = difference(ours, theirs, results.seed)
        chance = mcnemar(gained, lost)
        rows.append(
            [
                label(arm),
                str(len(ours)),
                str(gained),
                str(lost),
                signed(gap),
                f"{chance:.2g}" if chance >= 1e-4 else "< .0001",
            ]
        )
    return table(
        [f"against {label(baseline)}", "symbols", "gained", "lost", "difference [95 %]", "McNemar p"], rows
    )


def misread_table(results: Results) -> str:
    """Every wrong payload."""
    if not results.misreads:
        return "No reader returned a wrong payload."
    rows = [
        [
            misread.item,
            misread.arm.replace("|", " → "),
            "; ".join(map(_shown, misread.wrong)),
            misread.image or "none",
        ]
        for misread in results.misreads
    ]
    return table(["item", "arm", "wrong payload", "picture kept"], rows)


def _shown(text: str) -> str:
    """Printable, short, and harmless in a table."""
    printable = "".join(c if c.isprintable() and c not in "|`" else "." for c in text)
    return f"`{printable[:40]}`" + ("…" if len(printable) > 40 else "")
