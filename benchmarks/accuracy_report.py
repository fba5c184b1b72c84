"""What `make accuracy` prints: tables of what was measured.

Results are those that accuracy.py puts together; the arithmetic is in accuracy_tables.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import accuracy_tables as arithmetic
from accuracy_tables import Row
from common import print_table


def sets(result: Mapping[str, Any]) -> None:
    """A line for each set, then the means."""
    print(
        "\nSets: MASE, relative to seasonal naive, 80% coverage, seconds of the forecasts"
    )
    lines = []
    for name, row in result["sets"].items():
        lines.append(
            {
                "set": name,
                "family": row["family"],
                "origins": row["origins"],
                "horizon": row["horizon"],
                "MASE": row["mase"],
                "relative": result["relative"].get(name),
                "in 80%": 100 * row["coverage80"],
                "s": row["seconds"],
                "MB": round(row["peak_megabytes"]),
            }
        )
    print_table(lines)
    print("\nRelative MASE, geometric means over the sets:")
    counts = [{"of": name, "mean": value} for name, value in result["means"].items()]
    print_table(counts)
    left_out = [name for name in result["sets"] if name not in result["relative"]]
    if left_out:
        print(f"left out, without a seasonal naive error: {', '.join(left_out)}")


def single(result: Mapping[str, Any]) -> None:
    """The single sets beside the best simple forecast."""
    lines = []
    for name in arithmetic.SINGLE:
        if name in result["sets"] and name in result["yardsticks"]:
            best, error = arithmetic.best_simple(result["yardsticks"][name])
            ours = result["sets"][name]["mase"]
            below = "yes" if ours < error else "no"
            lines.append(
                {
                    "set": name,
                    "MASE": ours,
                    "best simple": error,
                    "which": best,
                    "below": below,
                }
            )
    if lines:
        print("\nSingle sets beside the best simple forecast:")
        print_table(lines)


def coverage(rows: Mapping[str, Row], what: str) -> None:
    """Coverage of each set with enough windows, and by frequency."""
    print(f"\n{what}: share of values in 80% intervals, percent")
    lines = []
    for name, row in rows.items():
        if row["origins"] >= arithmetic.SOME_WINDOWS:
            found = arithmetic.coverage(row)
            thirds = "/".join(f"{third:.0f}" for third in found["thirds"])
            right = "yes" if found["right"] else "no"
            lines.append(
                {
                    "set": name,
                    "windows": row["origins"],
                    "overall": found["overall"],
                    "by step": f"{found['lowest step']:.0f}–{found['highest step']:.0f}",
                    "thirds": thirds,
                    "right": right,
                }
            )
    if lines:
        print_table(lines)
    print("\nby frequency, each set the same weight:")
    print_table(
        [
            {
                "frequency": family,
                "sets": found["sets"],
                "overall": found["overall"],
                "thirds": "/".join(f"{third:.0f}" for third in found["thirds"]),
            }
            for family, found in arithmetic.pooled_coverage(rows).items()
        ]
    )


def gift(result: Mapping[str, Any]) -> None:
    """Each configuration beside TiRex, then the means."""
    gift = result["gift"]
    print("\nGIFT-Eval: MASE and CRPS, and over TiRex's")
    lines = [
        {
            "configuration": name,
            "MASE": row["mase"],
            "/ TiRex": gift["mase_to_tirex"][name],
            "CRPS": row["crps"],
            "/ TiRex's": gift["crps_to_tirex"][name],
            "in 80%": 100 * row["coverage80"],
            "s": row["seconds"],
        }
        for name, row in gift["rows"].items()
    ]
    print_table(lines)
    print(
        f"relative to seasonal naive, geometric mean of {len(lines)}: MASE {gift['mase']:.3f}, "
        f"CRPS {gift['crps']:.3f}; worst beside TiRex: {gift['mase_worst']}"
    )


def versus(ratios: Mapping[str, float], rows: Mapping[str, Row], digest: str) -> None:
    """Version against version: ratios of MASE by set and frequency, and what got worse."""
    if not ratios:
        print(f"\nVersion {digest} was measured on none of these sets.")
        return
    print(f"\nMASE over that of version {digest}:")
    print_table([{"set": name, "ratio": ratio} for name, ratio in ratios.items()])
    families = arithmetic.means(ratios, rows)
    print("\nGeometric means:")
    print_table([{"of": name, "ratio": ratio} for name, ratio in families.items()])
    only = {
        name: ratio for name, ratio in families.items() if name in arithmetic.FAMILIES
    }
    for what, found, limit in (
        ("sets", ratios, arithmetic.WORSE_SET),
        ("frequencies", only, arithmetic.WORSE_FAMILY),
    ):
        worse = arithmetic.worse(found, limit)
        named = ", ".join(f"{name} × {ratio:.3f}" for name, ratio in worse.items())
        print(f"{what} worse by more than {100 * (limit - 1):.0f}%: {named or 'none'}")


def times(result: Mapping[str, Any]) -> None:
    """Whole processes beside the other version's."""
    print("\nWhole processes, seconds, in turns with the other version:")
    print_table([{"command": name, **row} for name, row in result["time"].items()])
