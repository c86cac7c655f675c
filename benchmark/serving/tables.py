"""Tables of docs/performance.md, from the figures of each row."""

from collections.abc import Callable, Iterable
from typing import Any

from benchmark.figures.tables import table
from benchmark.serving.rows import ceiling
from benchmark.serving.rows.throughput import WORKLOADS
from benchmark.serving.stages_plot import STAGES
from benchmark.serving.verdicts import named


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
    return table(head, rows)


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
    return table(head, rows)


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
    return table(head, rows, left=2) + f"\n\n{versions}."


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
    return table(head, rows, left=2)


def _range(ratios: list[float]) -> str:
    """Their number and range."""
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
    return table(["", "measured"], rows)


def _stages(figures: dict[str, Any]) -> str:
    bars: dict[str, dict[str, float]] = figures["milliseconds"]
    present = [stage for stage in STAGES if any(stage in bar for bar in bars.values())]
    rows = [[STAGES[stage][0], *(f"{bar.get(stage, 0):.1f}" for bar in bars.values())] for stage in present]
    rows.append(["together", *(f"{sum(bar.values()):.1f}" for bar in bars.values())])
    picture = "![Where the time goes](benchmark/serve/stages.png)"
    first = (
        f"The service was ready {figures['ready_after_s']:.1f} s after its start. Its very first request, read after "
        f"enlarging, took {figures['first_ms']:.0f} ms; the median of forty like it is {figures['median_ms']:.0f} ms."
    )
    return f"{picture}\n\n{table(['ms', *bars], rows)}\n\n{first}"


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
        tables.append(table([head, unit, "of the ceiling", "ms"], rows))
    parts = [
        [kind, f"{100 * share:.1f} %"]
        for kind, share in list(figures["generator_128_by_operator"].items())[:6]
    ]
    kinds = f"By kind of operator, 128x128 ({figures['model']}):\n\n{table(['operator', 'time'], parts)}"
    return "\n\n".join([f"Taken: {figures['taken']}.", *tables, kinds])


def _modes(figures: dict[str, Any]) -> str:
    rates: dict[str, dict[str, float]] = figures["images_per_second"]
    ways = list(next(iter(rates.values())))
    rows = [[way, *(f"{rates[side][way]:.1f}" for side in rates)] for way in ways]
    coded = [
        [name, f"{one['milliseconds']:.2f}", f"{one['bytes']:,}"] for name, one in figures["encoders"].items()
    ]
    head = ["one session", *(f"{side}x{side}, 1/s" for side in rates)]
    return f"{table(head, rows)}\n\n{table(['an answer of 512x512', 'ms', 'bytes'], coded)}"


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
    return f"{table(head, rows)}\n\nAnswers by status: {statuses}. Wrong ones: {figures['wrong_count']}."


def _fuzz(figures: dict[str, Any]) -> str:
    rows = [
        [f"`{code}`" if code != "answered" else "200", f"{count:,}"]
        for code, count in figures["codes"].items()
    ]
    return table(["answer", "requests"], rows)


def _imaging(figures: dict[str, Any]) -> str:
    rows = [[f"`{code}`", f"{count:,}"] for code, count in sorted(figures["outcomes"].items())]
    told = (
        f"From {figures['seeds']} seeds to a corpus of {figures['corpus']}; branches reached "
        f"{figures['branches_at_first']} → {figures['branches']}; resident {figures['rss_mib_at_first']} → "
        f"{figures['rss_mib']} MiB."
    )
    return f"{table(['outcome', 'files'], rows)}\n\n{told}"


def _thinned(samples: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    return [one for number, one in enumerate(samples) if number < 2 or number % 3 == 0 or one is samples[-1]]


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.0f}" if seconds >= 0.0095 else f"{1e3 * seconds:.1f}"


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
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
"""By row, the function that shows its figures on the page."""
