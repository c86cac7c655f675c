"""The floor of each row, the measured value, and whether the floor is met."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmark.serving import results
from benchmark.serving.load.steadiness import ENOUGH
from benchmark.serving.rows.tail import SHARE

Figures = dict[str, Any]
NO_FLOOR = "(none)"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A line of the first table."""

    what: str
    floor: str
    measured: str
    met: bool | None
    """None if it was not measured, or has no floor."""


def verdicts() -> list[Verdict]:
    """All lines, in order."""
    return [_one(*line) for line in _LINES]


def _one(row: str, what: str, floor: str, judge: Callable[[Figures], tuple[str, bool]]) -> Verdict:
    found = results.load(row)
    if found is None:
        return Verdict(what, floor, f"not measured (`python -m benchmark serving {row}`)", None)
    measured, met = judge(found["figures"])
    return Verdict(what, floor, measured, None if floor == NO_FLOOR else met)


def named(workload: str) -> str:
    """A workload's endpoint as code, and its uploads."""
    endpoint, comma, kind = workload.partition(",")
    return f"`/{endpoint}`{comma}{kind}"


def _throughput(*workloads: str) -> Callable[[Figures], tuple[str, bool]]:
    def judge(figures: Figures) -> tuple[str, bool]:
        cells = [cell for cell in figures["cells"] if cell["clients"] == 64 and cell["workload"] in workloads]
        told = [f"{named(cell['workload'])} {cell['ratio']:.2f}" + _spread(cell["ratios"]) for cell in cells]
        met = all(cell["ratio"] >= 0.85 and len(cell["ratios"]) >= ENOUGH for cell in cells)
        return ", ".join(told), met and bool(cells)

    return judge


def _spread(ratios: list[float]) -> str:
    return (
        f" ({len(ratios)} rounds, {min(ratios):.2f} to {max(ratios):.2f})" if ratios else " (no steady round)"
    )


def _against(names: tuple[str, ...], *, tight: bool) -> Callable[[Figures], tuple[str, bool]]:
    def judge(figures: Figures) -> tuple[str, bool]:
        wanted = [row for row in figures["rows"] if (row["workload"] == "decode, mixed") == tight]
        rows = [row for row in wanted if row["server"] in names]
        ours = {row["workload"]: row for row in wanted if row["server"] not in _ALL_PEERS}
        worst = {
            workload: min(r["ours_to_this"] for r in rows if r["workload"] == workload) for workload in ours
        }
        tails = all(ours[row["workload"]]["p99"] <= row["p99"] for row in rows)
        told = ", ".join(f"{named(workload)} {ratio:.2f}×" for workload, ratio in worst.items())
        return f"{told} of the faster one; p99 {'no worse' if tails else 'worse'}", min(
            worst.values()
        ) >= 1.3 and tails

    return judge


_PLAIN, _DRAFTING, _TUNED = (
    tuple(f"{peer}{how}" for peer in ("LitServe", "BentoML")) for how in ("", ", drafts", ", tuned")
)
_ALL_PEERS = _PLAIN + _DRAFTING + _TUNED


def _tail(workload: str) -> Callable[[Figures], tuple[str, bool]]:
    def judge(figures: Figures) -> tuple[str, bool]:
        rows = [row for row in figures["rows"] if (row["workload"], row["share"]) == (workload, SHARE)]
        told = [
            f"{row['arrivals']} {row['ratio']:.1f}×"
            + (f" ({row['ideal']:.1f}× of an ideal server)" if row["arrivals"] == "random" else "")
            + (f", {row['refused']} refused" if row["refused"] else "")
            for row in rows
        ]
        even = [row for row in rows if row["arrivals"] == "even"]
        met = all(
            len(row["ratios"]) >= ENOUGH and row["ratio"] <= 3 and not row["refused"] and not row["wrong"]
            for row in even
        )
        return "; ".join(told), met and bool(even)

    return judge


def _overload(figures: Figures) -> tuple[str, bool]:
    good = {"200", "429", "503", "504"}
    met = (
        set(figures["statuses"]) <= good
        and figures["accepted_max"] <= figures["deadline"]
        and figures["refused_p50"] < 0.05
        and figures["recovered_after"] <= 2
        and not figures["wrong"]
    )
    return (
        f"accepted: {figures['accepted_max']:.1f} s at most of {figures['deadline']:.0f}; refused: median "
        f"{1e3 * figures['refused_p50']:.0f} ms; statuses {', '.join(sorted(figures['statuses']))}; normal after "
        f"{figures['recovered_after']:.1f} s",
        met,
    )


def _shutdown(figures: Figures) -> tuple[str, bool]:
    met = (
        figures["lost"] == figures["wrong"] == 0
        and figures["exit_statuses"] == [0]
        and figures["under_way"] > 0
    )
    return f"{figures['answered']} of {figures['under_way']} in {figures['rounds']} rounds", met


def _leak(figures: Figures) -> tuple[str, bool]:
    first, last = figures["samples"][1], figures["samples"][-1]
    count = last["requests"]
    growth = figures["service_mib_per_1000"] * (count - 1000) / 1000
    met = (
        growth < 0.05 * first["service_mib"]
        and last["descriptors"] <= first["descriptors"]
        and {sample["children"] for sample in figures["samples"]} == {first["children"]}
        and figures["wrong_count"] == 0
        and count >= 20_000
    )
    return (
        f"{count:,} requests: {growth:+.0f} MiB of {first['service_mib']:.0f} by the trend; descriptors "
        f"{first['descriptors']} → {last['descriptors']}, children {first['children']} → {last['children']}; "
        f"{figures['wrong_count']} wrong answers",
        met,
    )


def _kill(figures: Figures) -> tuple[str, bool]:
    lost = sum(count for status, count in figures["statuses"].items() if status != "200")
    met = lost == 0 and not figures["wrong"] and figures["killed"] >= 50
    return (
        f"{figures['killed']} children killed under {figures['requests']:,} requests: {lost} lost, "
        f"{len(figures['wrong'])} wrong",
        met,
    )


def _fuzz(figures: Figures) -> tuple[str, bool]:
    bad = sum(count for status, count in figures["statuses"].items() if status == "0" or status >= "500")
    first, last = figures["samples"][0], figures["samples"][-1]
    grown = last["service_mib"] - first["service_mib"]
    met = (
        bad == figures["wrong_count"] == figures["tracebacks_logged"] == figures["decoder"]["crashes"] == 0
        and grown < 0.05 * first["service_mib"]
        and figures["requests"] >= 50_000
    )
    return f"{figures['requests']:,} over HTTP: {bad} 5xx, {grown:+.0f} MiB", met


def _imaging(figures: Figures) -> tuple[str, bool]:
    told = f"{figures['files']:,} files, {figures['branches']} branches reached: {len(figures['findings'])} findings"
    return told, figures["exit_status"] == 0 and not figures["findings"] and figures["files"] >= 50_000


def _schema(figures: Figures) -> tuple[str, bool]:
    return f"{figures['cases']:,} cases, exit status {figures['exit_status']}", figures["exit_status"] == 0


def _crossing(figures: Figures) -> tuple[str, bool]:
    return (
        f"{figures['requests']:,} requests of {figures['clients']} clients: {figures['wrong']} wrong or another's",
        figures["wrong"] == 0 and figures["requests"] >= 10_000,
    )


def _bombs(figures: Figures) -> tuple[str, bool]:
    grown = figures["service_mib_peak"] - figures["service_mib_before"]
    # A pixel of colour with its alpha, twice during conversion.
    most = 8 * figures["budget_megapixels"] * 1e6 / 2**20
    met = (
        grown < most and set(figures["statuses"]) <= {"200", "429", "504"} and not figures["wrong_afterwards"]
    )
    return f"{figures['clients']} at once: +{grown:.0f} MiB at the peak; then as usual", met


def _slow(figures: Figures) -> tuple[str, bool]:
    answered = sum(figures["statuses"].values())
    met = (
        set(figures["statuses"]) == {"200"}
        and not figures["wrong"]
        and figures["slow_statuses"] == {"408": figures["slow"]}
    )
    refused = answered - figures["statuses"].get("200", 0)
    return (
        f"{figures['slow']} of them for {figures['timeout_s']:.0f} s, then 408: {refused} of {answered:,} other "
        f"requests refused, {len(figures['wrong'])} wrong",
        met,
    )


_LINES: tuple[tuple[str, str, str, Callable[[Figures], tuple[str, bool]]], ...] = (
    (
        "throughput",
        "throughput at 64 clients, of the pipeline's in process: 128x128 crops",
        "≥ .85",
        _throughput("upscale", "decode, crops"),
    ),
    ("throughput", "the same of tight crops, half of them clear", "≥ .85", _throughput("decode, mixed")),
    ("throughput", "the same of tight crops, all clear", "≥ .85", _throughput("decode, clear only")),
    (
        "frameworks",
        "against LitServe and BentoML as their first pages show them: 128x128 crops",
        "≥ 1.3×, p99 no worse",
        _against(_PLAIN, tight=False),
    ),
    (
        "frameworks",
        "the same of tight crops, half of them clear",
        "≥ 1.3×, p99 no worse",
        _against(_PLAIN, tight=True),
    ),
    (
        "frameworks",
        "against both given our drafts as well: 128x128 crops",
        "≥ 1.3×, p99 no worse",
        _against(_DRAFTING, tight=False),
    ),
    ("frameworks", "the same of tight crops", "≥ 1.3×, p99 no worse", _against(_DRAFTING, tight=True)),
    ("frameworks", "against both, tuned: 128x128 crops", NO_FLOOR, _against(_TUNED, tight=False)),
    ("frameworks", "the same of tight crops", NO_FLOOR, _against(_TUNED, tight=True)),
    (
        "tail",
        "p99 at 70 % of capacity, of the median: `/upscale`, 128x128 crops",
        "≤ 3×, requests coming evenly",
        _tail("upscale, 128x128"),
    ),
    ("tail", "the same of `/decode`, faint crops", "≤ 3×, requests coming evenly", _tail("decode, faint")),
    ("tail", "the same of `/decode`, clear crops", "≤ 3×, requests coming evenly", _tail("decode, clear")),
    (
        "overload",
        "four times capacity for 60 s",
        "accepted in their deadline, refused in < 50 ms, no 5xx but 503/504, normal in 2 s",
        _overload,
    ),
    ("shutdown", "SIGTERM under load: accepted requests answered", "all", _shutdown),
    ("leak", "20,000 mixed requests", "memory flat, no leak", _leak),
    ("kill", "kill -9 of a decoder child a second for a minute", "none lost, none wrong", _kill),
    ("fuzz_http", "50,000 mutated uploads over HTTP", "no 5xx, no crash, no growth", _fuzz),
    ("fuzz_imaging", "the same of image decoding, coverage-guided", "no crash", _imaging),
    ("fuzz_schema", "Schemathesis over the OpenAPI document", "nothing found", _schema),
    ("bombs", "images of 16 megapixels in small files, many at once", "memory bounded", _bombs),
    ("slow", "clients that send a byte a second", "nobody else is refused", _slow),
    ("crossing", "10,000 requests with symbols of their own", "no answer reaches another", _crossing),
)
