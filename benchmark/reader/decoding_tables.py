"""The parts of docs/reader.md about decoding alone: channels, the misread bound, Reed–Solomon libraries."""

from itertools import groupby
from typing import Any

from benchmark.figures.tables import rate, table


def channel_part(data: dict[str, Any]) -> str:
    """Read rates by channel, version and level; a row has all error rates."""
    names = list(data["rows"][0]["decoders"])
    rows = []
    for (channel, version, level), group in groupby(
        data["rows"], key=lambda row: (row["channel"], row["version"], row["level"])
    ):
        points = list(group)
        cells = [f"{channel}, {version}-{level}", " / ".join(f"{point['error_rate']:g}" for point in points)]
        for name in names:
            outcomes = [point["decoders"][name] for point in points]
            wrong = sum(one["wrong"] for one in outcomes)
            cell = " / ".join(f"{one['read'] / one['trials']:.1f}".replace(".0", "") for one in outcomes)
            cells.append(cell + (f" ({wrong} wrong)" if wrong else ""))
        cells.append(" / ".join(f"{point['decoders']['soft']['milliseconds']:.0f}" for point in points))
        rows.append(cells)
    trials = data["rows"][0]["decoders"]["soft"]["trials"]
    empty = ", ".join(
        f"{name} {one['wrong']} of {one['trials']:,}" for name, one in data["no symbol"].items()
    )
    total = {name: sum(row["decoders"][name]["wrong"] for row in data["rows"]) for name in names}
    return "\n\n".join(
        [
            f"```\n{data['command']}\n```",
            f"{trials} receptions a point; the last column is the median processor time of the soft decoder.",
            table(["", "module error rate", *names, "ms"], rows),
            f"Receptions without a symbol that were read: {empty}. Symbols read wrongly: "
            + ", ".join(f"{name} {count}" for name, count in total.items())
            + f", of {trials * len(data['rows']):,} each.",
        ]
    )


def bound_part(data: dict[str, Any]) -> str:
    """Readings at the reader's limit and at a careless one, by their bound."""
    strict, careless = data["rows"]
    rows = [
        [_range(bounds, i), *(str(row["by_bound"][i][key]) for row in (strict, careless) for key in _KEYS)]
        for i, bounds in enumerate(careless["by_bound"])
    ]
    for name, key in (("all", "read"), ("without a symbol", "read without a symbol")):
        counts = [
            cell
            for row in (strict, careless)
            for cell in ((str(row["read"]), str(row["wrong"])) if key == "read" else ("-", str(row[key])))
        ]
        rows.append([name, *counts])
    head = [
        "misread bound",
        *(f"limit {row['limit']:g}: {key}" for row in (strict, careless) for key in _KEYS),
    ]
    refused = 1 - sum(one["right"] for one in careless["by_bound"] if one["up_to"] <= -8) / max(
        careless["read"], 1
    )
    return "\n\n".join(
        [
            f"```\n{data['command']}\n```",
            f"{strict['near the wall']:,} receptions near the wall and {strict['without a symbol']:,} without a symbol "
            "for each limit.",
            table(head, rows),
            f"By the bound itself at most {careless['expected_wrong']:.2g} of the readings at the careless limit were "
            f"expected to be wrong, and {strict['expected_wrong']:.1g} of those at the reader's. The reader's limit "
            f"refuses {refused:.2f} of the right readings of the careless one.",
        ]
    )


def prior_part(data: dict[str, Any]) -> str:
    """What a payload model reads more, and the outcome of bad receptions at both limits."""
    rows = [
        [
            f"{row['level']}, {row['error_rate']:.0%}",
            *(rate(row["read"][name] / row["count"]) for name in ("without", "reader", "ample")),
            str(row["wrong"]),
            "-" if row["ms"] is None else f"{row['ms']:.0f}",
        ]
        for row in data["rows"]
    ]
    hints = [
        [
            f"{row['error_rate']:.0%}",
            *(rate(read / row["count"]) for read in row["read"].values()),
            str(row["wrong"]),
        ]
        for row in data["hints"]
    ]
    strict, careless = data["trials"]
    trials = [
        [
            one["kind"],
            f"{one['trials']:,}",
            str(one["read"]),
            str(one["wrong"]),
            str(other["read"]),
            str(other["wrong"]),
        ]
        for one, other in zip(strict["kinds"], careless["kinds"], strict=True)
    ]
    head = [
        "bad receptions",
        "trials at each limit",
        *(f"limit {one['limit']:g}: {key}" for one in (strict, careless) for key in _KEYS),
    ]
    return "\n\n".join(
        [
            f"```\n{data['command']}\n```",
            f"{data['rows'][0]['count']} receptions a line, payloads: {data['payloads']}; milliseconds of processor "
            "time, median of what is not read without.",
            table(
                [
                    "level, module errors",
                    "without",
                    "with, the reader's work",
                    "with, ample work",
                    "wrong",
                    "ms",
                ],
                rows,
            ),
            "Links of 27 bytes at level L, by what is told of them:",
            table(["module errors", *data["hints"][0]["read"], "wrong"], hints),
            table(head, trials),
        ]
    )


def finite_field_part(data: dict[str, Any]) -> str:
    """Import, memory, and milliseconds a word."""
    rows = [
        [
            row["decoder"],
            f"{row['import_s']:.2f}",
            str(row["resident_mb"]),
            *(f"{row[key]:.3f}" for key in ("clean_1", "clean_20", "errors_1", "errors_20")),
        ]
        for row in data["rows"]
    ]
    head = ["decoder", "import, s", "memory, MB", "clean word, ms", "in 20", "13 errors, ms", "in 20"]
    return f"```\n{data['command']}\n```\n\n" + table(head, rows)


_KEYS = ("right", "wrong")


def _range(bounds: dict[str, Any], index: int) -> str:
    return f"up to 1e{bounds['up_to']}" if index == 0 else f"to 1e{bounds['up_to']}"
