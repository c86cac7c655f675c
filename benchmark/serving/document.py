"""`docs/performance.md` and its picture, from the rows' files: `python -m benchmark serving report`."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from benchmark.paths import ROOT
from benchmark.serving import results
from benchmark.serving.rows import ceiling
from benchmark.serving.rows.throughput import WORKLOADS
from benchmark.serving.verdicts import named, verdicts

mpl.use("Agg")
from matplotlib import pyplot as plt

PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "benchmark" / "serve" / "stages.png"
_TEXTS = Path(__file__).with_name("texts")

_QUIET = 0.1
"""Share of the processor time up to which neighbours are not worth a warning."""

_STAGES = {
    "http": ("socket, HTTP, event loop", "0.75"),
    "application": ("routing, answer", "0.55"),
    "upload": ("multipart", "tab:brown"),
    "wait": ("room and turn", "tab:pink"),
    "decode_image": ("image decoding", "tab:orange"),
    "read_upload": ("readers on the upload", "tab:green"),
    "queue": ("engine's queue", "tab:red"),
    "inference": ("generator", "tab:blue"),
    "upscale": ("cutting, quantising", "tab:cyan"),
    "read_upscaled": ("readers on the ×4 image", "tab:olive"),
    "encode": ("image encoding", "tab:purple"),
}


def write() -> Path:
    """Write page and picture; what was not measured is left out and said to be."""
    sections = [_text("head"), _machine(), _verdicts(), _text("rows")]
    for row, render in _SECTIONS.items():
        found = results.load(row)
        measured = (
            "Not measured for this page." if found is None else render(found["figures"]) + _beside(found)
        )
        sections.append(f"{_text(row)}\n\n    python -m benchmark serving {row}\n\n{measured}")
    sections.append(_gpu())
    PAGE.write_text("\n\n".join(section.strip() for section in sections) + "\n")
    return PAGE


def _gpu() -> str:
    found = results.load("gpu")
    if found is None:
        return _text("gpu") + "\n\nNone of this was run for this page: no machine with a GPU was at hand."
    figures = found["figures"]
    rows = [
        [
            f"{row['side']}x{row['side']}",
            str(row["batch"]),
            f"{row['images_per_second_host']:.0f}",
            f"{row['images_per_second_device']:.0f}",
            f"{row['floor_by_operations_ms']:.2f}",
            f"{row['floor_by_bytes_ms']:.2f}",
            f"{100 * row['of_floor']:.0f} %",
        ]
        for row in figures["rows"]
    ]
    head = [
        "crops",
        "batch",
        "from the host, 1/s",
        "on the device, 1/s",
        "floor by operations, ms",
        "by bytes, ms",
        "of it",
    ]
    peak = (
        f"Peaks: {figures['tflops']:.1f} TFLOP/s in a matrix product, {figures['gb_per_second']:.0f} GB/s in an "
        "addition."
    )
    return f"{_text('gpu')}\n\n{_table(head, rows)}\n\n{peak}"


def _text(name: str) -> str:
    return (_TEXTS / f"{name}.md").read_text().strip()


def _machine() -> str:
    found = [whole for row in _SECTIONS if (whole := results.load(row)) is not None]
    if not found:
        return "Nothing has been measured yet."
    where = found[0]["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    able = ", ".join(where.get("instructions", ()))
    told = (
        f"Measured on {where['processor']} ({able}), {where['cpus']} CPUs, {where['memory_gib']} GiB, "
        f"{where['system']}, Python {where['python']}; {versions}. The load generator runs on the same "
        "CPUs, so its processor time is missing from the service."
    )
    most = max(whole["figures"].get("neighbours", 0.0) for whole in found)
    if most > _QUIET:
        told += (
            f"\n\n**Not a quiet machine:** other programs had up to {100 * most:.0f} % of "
            "the processor time (said under each table). Rates are too low and times too long by that, and ratios of "
            "what took turns are noisy."
        )
    return told


def _verdicts() -> str:
    words = {True: "yes", False: "**no**", None: "-"}
    rows = [[line.what, line.floor, line.measured, words[line.met]] for line in verdicts()]
    return _table(["what", "floor", "measured", "met"], rows, left=3)


def _beside(found: dict[str, Any]) -> str:
    """What has to be known of a row: a note that somebody put into its file, and who else was on the machine."""
    told = [note] if (note := found.get("note")) else []
    if (share := found["figures"].get("neighbours")) is not None:
        told.append(
            f"Other programs, and other machines on the host, took {100 * share:.0f} % of the processor time."
        )
    return "".join(f"\n\n{line}" for line in told)


def _throughput(figures: dict[str, Any]) -> str:
    rows = [
        [
            f"`/{cell['workload'].partition(',')[0]}`: {WORKLOADS[cell['workload']][1]}",
            str(cell["clients"]),
            f"{cell['http']:.1f}",
            f"{cell['in_process']:.1f}",
            f"{cell['ratio']:.2f}",
            _range(cell["ratios"]),
            _range(cell["unsteady"]),
            _ms(cell["p50"]),
            _ms(cell["p99"]),
        ]
        for cell in figures["cells"]
    ]
    head = [
        "work",
        "clients",
        "HTTP, 1/s",
        "in process, 1/s",
        "ratio",
        "of the rounds",
        "not counted",
        "p50, ms",
        "p99, ms",
    ]
    return _table(head, rows)


def _cost(figures: dict[str, Any]) -> str:
    rows = [
        [
            f"`/{workload.partition(',')[0]}`: {WORKLOADS[workload][1]}",
            f"{row['http_ms']:.2f}",
            f"{row['in_process_ms']:.2f}",
            f"{row['ratio']:.2f}",
            _range(row["ratios"]),
            _range(row["unsteady"]),
            f"{row['bare_ms']:.2f}",
            f"{row['most']:.2f}",
        ]
        for workload, row in figures["rows"].items()
    ]
    head = [
        "work",
        "HTTP, ms",
        "in process, ms",
        "ratio",
        "of the rounds",
        "not counted",
        "uvicorn alone, ms",
        "highest ratio",
    ]
    return _table(head, rows)


def _frameworks(figures: dict[str, Any]) -> str:
    rows = [
        [
            named(row["workload"]),
            row["server"],
            f"{row['rate']:.1f}",
            f"{row['ours_to_this']:.2f}",
            _ms(row["p50"]),
            _ms(row["p99"]),
            str(row["broken"]),
        ]
        for row in sorted(figures["rows"], key=lambda row: row["workload"])
    ]
    versions = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    head = ["work", "server", "1/s", "ours to it", "p50, ms", "p99, ms", "failed"]
    return _table(head, rows, left=2) + f"\n\n{versions}."


def _tail(figures: dict[str, Any]) -> str:
    rows = [
        [
            row["workload"],
            row["arrivals"],
            f"{row['capacity']:.1f}",
            f"{row['share']:.0%}",
            f"{row['busy']:.0%}",
            str(row["requests"]),
            _ms(row["p50"]),
            _ms(row["p99"]),
            f"{row['ratio']:.2f}",
            _range(row["ratios"]),
            f"{row['ideal']:.2f}",
            str(row["refused"]),
            _range(row["unsteady"]),
            str(row["unsteady_refused"]),
        ]
        for row in figures["rows"]
    ]
    head = [
        "work",
        "arrivals",
        "capacity, 1/s",
        "offered of it",
        "CPUs busy",
        "requests",
        "p50, ms",
        "p99, ms",
        "p99 / p50",
        "of the rounds",
        "ideal server's",
        "refused",
        "rounds not counted",
        "refused there",
    ]
    return _table(head, rows, left=2)


def _range(ratios: list[float]) -> str:
    """How many there are, and from where to where."""
    return f"{len(ratios)}: {min(ratios):.2f} to {max(ratios):.2f}" if ratios else "0"


def _overload(figures: dict[str, Any]) -> str:
    rows = [
        ["capacity, 1/s", f"{figures['capacity']:.1f}"],
        ["offered, 1/s", f"{figures['offered']:.1f}"],
        ["answered 200, 1/s", f"{figures['good_rate']:.1f}"],
        [
            "answers by status",
            ", ".join(f"{status}: {count:,}" for status, count in figures["statuses"].items()),
        ],
        ["accepted: median, longest, s", f"{figures['accepted_p50']:.2f}, {figures['accepted_max']:.2f}"],
        [
            "refused: median, 99th percentile, ms",
            f"{_ms(figures['refused_p50'])}, {_ms(figures['refused_p99'])}",
        ],
        ["a request alone, ms", _ms(figures["alone_p50"])],
        ["normal again after, s", f"{figures['recovered_after']:.2f}"],
    ]
    return _table(["", "measured"], rows)


def _stages(figures: dict[str, Any]) -> str:
    bars: dict[str, dict[str, float]] = figures["milliseconds"]
    plot(bars, PICTURE, figures["taken"])
    present = [stage for stage in _STAGES if any(stage in bar for bar in bars.values())]
    rows = [[_STAGES[stage][0], *(f"{bar.get(stage, 0):.1f}" for bar in bars.values())] for stage in present]
    rows.append(["together", *(f"{sum(bar.values()):.1f}" for bar in bars.values())])
    picture = f"![Where the time goes]({PICTURE.relative_to(PAGE.parent)})"
    first = (
        f"The service was ready {figures['ready_after_s']:.1f} s after its start. Its very first request, read after "
        f"enlarging, took {figures['first_ms']:.0f} ms; the median of forty like it is {figures['median_ms']:.0f} ms."
    )
    return f"{picture}\n\n{_table(['ms', *bars], rows)}\n\n{first}"


def plot(bars: dict[str, dict[str, float]], path: Path, taken: str) -> None:
    """A stacked bar for each kind of request; `taken` says what its milliseconds are."""
    figure, axes = plt.subplots(figsize=(9, 1.2 + 0.55 * len(bars)))
    names = list(bars)[::-1]
    left = [0.0] * len(names)
    for stage, (label, colour) in _STAGES.items():
        widths = [bars[name].get(stage, 0.0) for name in names]
        if any(widths):
            axes.barh(names, widths, left=left, color=colour, label=label, height=0.65)
            left = [start + width for start, width in zip(left, widths, strict=True)]
    for at, whole in enumerate(left):
        axes.text(whole + max(left) * 0.008, at, f"{whole:.1f}", va="center", fontsize=9)
    axes.set(xlabel=f"milliseconds of a request alone ({taken})", xlim=(0, max(left) * 1.08))
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    figure.set_layout_engine("constrained")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _ceiling(figures: dict[str, Any]) -> str:
    names = {
        ceiling.CEILING: "multiply-adds in registers (the ceiling)",
        ceiling.CEILING_OF_BYTES: "multiply-adds of bytes in registers (the ceiling)",
    }
    tables = []
    for head, unit, key in (
        ("one thread, float32", "GFLOP/s", "gflops"),
        ("one thread, 8 bits", "GOP/s", "gops_of_bytes"),
    ):
        rates: dict[str, float] = figures[key]
        rows = [
            [
                names.get(name, name),
                f"{rates[name]:.1f}",
                f"{100 * figures['shares'][name]:.0f} %" if name in figures["shares"] else "-",
                f"{figures['milliseconds'][name]:.1f}",
            ]
            for name in sorted(rates, key=lambda name: -rates[name])
        ]
        tables.append(_table([head, unit, "of the ceiling", "ms"], rows))
    parts = [
        [kind, f"{100 * share:.1f} %"]
        for kind, share in list(figures["generator_128_by_operator"].items())[:6]
    ]
    kinds = f"By kind of operator, 128x128 ({figures['model']}):\n\n{_table(['operator', 'time'], parts)}"
    return "\n\n".join([f"Taken: {figures['taken']}.", *tables, kinds])


def _modes(figures: dict[str, Any]) -> str:
    rates: dict[str, dict[str, float]] = figures["images_per_second"]
    ways = list(next(iter(rates.values())))
    rows = [[way, *(f"{rates[side][way]:.1f}" for side in rates)] for way in ways]
    coded = [
        [name, f"{one['milliseconds']:.2f}", f"{one['bytes']:,}"] for name, one in figures["encoders"].items()
    ]
    head = ["one session", *(f"{side}x{side}, 1/s" for side in rates)]
    return f"{_table(head, rows)}\n\n{_table(['an answer of 512x512', 'ms', 'bytes'], coded)}"


def _leak(figures: dict[str, Any]) -> str:
    rows = [
        [
            f"{one['requests']:,}",
            f"{one['service_mib']:.0f}",
            f"{one['all_mib']:.0f}",
            str(one["descriptors"]),
            str(one["threads"]),
            str(one["children"]),
        ]
        for one in _thinned(figures["samples"])
    ]
    head = ["requests", "service, MiB", "with children, MiB", "descriptors", "threads", "children"]
    statuses = ", ".join(f"{status}: {count:,}" for status, count in figures["statuses"].items())
    return f"{_table(head, rows)}\n\nAnswers by status: {statuses}. Wrong ones: {figures['wrong_count']}."


def _fuzz(figures: dict[str, Any]) -> str:
    rows = [
        [f"`{code}`" if code != "answered" else "200", f"{count:,}"]
        for code, count in figures["codes"].items()
    ]
    return _table(["answer", "requests"], rows)


def _imaging(figures: dict[str, Any]) -> str:
    rows = [[f"`{code}`", f"{count:,}"] for code, count in sorted(figures["outcomes"].items())]
    told = (
        f"From {figures['seeds']} seeds to a corpus of {figures['corpus']}; branches reached "
        f"{figures['branches_at_first']} → {figures['branches']}; resident {figures['rss_mib_at_first']} → "
        f"{figures['rss_mib']} MiB."
    )
    return f"{_table(['outcome', 'files'], rows)}\n\n{told}"


def _thinned(samples: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    return [one for number, one in enumerate(samples) if number < 2 or number % 3 == 0 or one is samples[-1]]


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.0f}" if seconds >= 0.0095 else f"{1e3 * seconds:.1f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * left + "---:|" * (len(head) - left)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


_SECTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "throughput": _throughput,
    "cost": _cost,
    "frameworks": _frameworks,
    "tail": _tail,
    "overload": _overload,
    "stages": _stages,
    "ceiling": _ceiling,
    "modes": _modes,
    "leak": _leak,
    "fuzz_http": _fuzz,
    "fuzz_imaging": _imaging,
}
