"""The paper's protocol: how many of 1,000 symbols each way of reading reads, in HR and in LR."""

from dataclasses import replace
from typing import Any

from benchmark.comparison import plots
from benchmark.comparison.arms import NONE, Arm
from benchmark.comparison.farm import run_all
from benchmark.comparison.options import Options
from benchmark.comparison.readers import DECODE, SOFT
from benchmark.comparison.results import Results, collect
from benchmark.comparison.tables import arm_table, misread_table, paired_table
from benchmark.comparison.upscalers import OURS
from benchmark.figures.tables import rate, table
from benchmark.sets.paper import FROZEN_SEED, RECIPE, SIZE, PaperItem, departures, paper_items

WECHAT_LR, WECHAT_HR = Arm("lr", NONE, "wechat"), Arm("hr", NONE, "wechat")
ENLARGED_HR = 10
"""Every tenth HR picture is enlarged too, to 2048x2048, for a row of the paper's table."""


def run_paper(options: Options, count: int = SIZE) -> Results:
    """Read the first `count` symbols of the set in every way; writes `paper.json`, `paper.md` and a plot."""
    arms = (*options.direct("hr"), *options.direct("lr"), *options.enlarged(("wechat", "zxing")))
    names = {spec.name for spec in options.upscalers}
    also = tuple(Arm("hr", name, "wechat") for name in ("bicubic", OURS) if name in names)
    items: list[PaperItem] = [
        replace(item, arms=arms + also) if item.index % ENLARGED_HR == 0 else item
        for item in paper_items(count, options.seed, arms)
    ]
    taken = run_all(items, options.setup, options.jobs, "paper")
    results = collect(
        "paper",
        options.command,
        options.seed,
        options.environment(),
        items,
        taken,
        options.out,
        _details(options, [one.fingerprint for one in taken]),
    )
    results.save(options.out / "paper.json")
    (options.out / "paper.md").write_text(paper_report(results) + "\n")
    plots.arms(results, "lr", options.out / "paper.png")
    return results


def paper_report(results: Results) -> str:
    """Markdown: the paper's layout, every arm, pairs, misreads."""
    parts = [f"Set: {results.details['set']}.", _layout(results)]
    for picture, size in (("lr", "128 x 128, JPEG quality 10"), ("hr", "512 x 512")):
        parts += [f"### {picture} ({size})", arm_table(results, picture)]
    others = [arm for arm in results.arms() if arm.picture == "lr" and arm != WECHAT_LR]
    parts += [
        "### Gained and lost against WeChat on the LR picture",
        paired_table(results, WECHAT_LR, others),
    ]
    parts += ["### Misreads", misread_table(results)]
    return "\n\n".join(parts)


def _layout(results: Results) -> str:
    """Rows lr and hr, columns Bicubic, WeChat and Ours, as in the paper."""
    rows = []
    for picture in ("lr", "hr"):
        row = [picture]
        for upscaler, reader in (
            ("bicubic", "wechat"),
            (NONE, "wechat"),
            (OURS, "wechat"),
            (OURS, SOFT),
            (NONE, DECODE),
        ):
            row.append(_share(results, Arm(picture, upscaler, reader)))
        rows.append(row)
    note = (
        "Bicubic and Ours are read by WeChat, at four times the size; those of hr on every"
        f" {ENLARGED_HR}th symbol. The paper: WeChat .6871 of lr and .86 of hr, its own generator .5366 of lr."
    )
    return table(["", "Bicubic", "WeChat", "Ours", "Ours, soft reader", "/decode"], rows) + "\n\n" + note


def _share(results: Results, arm: Arm) -> str:
    if str(arm) not in results.outcomes:
        return "-"
    return rate(float(results.read(arm)[results.tried(arm)].mean()))


def _details(options: Options, fingerprints: list[int]) -> dict[str, Any]:
    if options.seed != FROZEN_SEED:
        text = f"another draw of the recipe (seed {options.seed}), not the frozen set"
    elif departed := departures(fingerprints):
        text = (
            f"NOT the frozen set: {departed} of its {len(fingerprints)} symbols look otherwise here, since"
            " another version of NumPy, OpenCV or segno, or another processor, draws them; compare with care"
        )
    else:
        text = f"the first {len(fingerprints)} symbols of the frozen set, pixel for pixel"
    recipe = {name: getattr(RECIPE, name) for name in RECIPE.__dataclass_fields__}
    return {"set": text, "recipe": recipe, "crc32": [f"{value:08x}" for value in fingerprints]}
