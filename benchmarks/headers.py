"""What a result file says of where its numbers come from: data sets, seeds, commit, command.

The data sets are named as their files (benchmarks/README.md says where they come from).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
NOTHING_DRAWN = "none: nothing is drawn at random"


class Source(NamedTuple):
    """Data sets and seeds of one benchmark."""

    data: tuple[str, ...]
    seed: str = NOTHING_DRAWN


ALL_SETS = ("all 50 sets of benchmarks/sets.py",)
AR1 = ("AR(1) series, simulated",)
IMPUTED = (
    "electricity_6clients",
    "traffic_6sensors",
    "etth1",
    "bike_sharing_hour",
    "nyc_taxi",
    "jena_first4000",
    "exchange_rate",
    "m5_store_dept_daily",
    "m3",
)
STREAMS = (
    "etth1",
    "electricity_6clients",
    "elec2_nsw",
    "household_power_hourly",
    "exchange_rate",
    "gefcom2014_load",
    "nyc_taxi",
    "jena_first4000",
    "bike_sharing_hour",
    "traffic_6sensors",
    "epf_np",
    "four simulated shifts",
)

SOURCES = {
    "accuracy": Source(ALL_SETS),
    "shipped": Source(ALL_SETS),
    "airline": Source(("airpassengers",)),
    "airline_loop": Source(("airpassengers",), "0"),
    "ar1": Source(AR1, "networks 0 and 1, test series 2024"),
    "articles": Source(("the data of each example, most of them simulated",), "0 to 4"),
    "classic": Source(("classic_univariate",)),
    "counts": Source(
        ("m5_items_CA_1", "online_retail_daily"), "0, the default of sample paths"
    ),
    "coverage": Source(
        ("m3", "m4_hourly", "m5_store_dept_daily", "airpassengers", "classic")
    ),
    "hierarchies": Source(
        ("tourism_small", "m5_store_dept_daily"), "0, the default of reconciliation"
    ),
    "imputing": Source(IMPUTED, "0, of the gaps"),
    "intervals": Source(STREAMS, "0, of the simulated shifts"),
    "kill_resume": Source(("simulated series",), "0, of series and moments"),
    "known": Source(("the sets named in the rows",)),
    "m3": Source(("m3",)),
    "m4": Source(("m4_*", "m4_published_scores")),
    "many": Source(("random series",), "0"),
    "many_parts": Source(("random series",), "0"),
    "many_peers": Source(("random series",), "0"),
    "nab": Source(("nab", "nab_windows", "nab_published_scores")),
    "online": Source(("random walks",), "0"),
    "server": Source(("random series",), "0 and 1"),
    "speed": Source(("airpassengers", "random series"), "0"),
    "ticks": Source(("random series",), "0"),
    "temperature": Source(("simulated days", "jena_first4000"), "0 to 2; jena: 0 to 4"),
    "training_ar1": Source(AR1, "networks 0 and 1, training series 7"),
    "training_loop": Source(("a noisy sine", "airpassengers"), "0"),
    "training_m3": Source(("m3",), "0"),
    "training_peers": Source(("m3",), "0"),
    "generator": Source(("training parts of all sets of benchmarks/sets.py",), "0"),
    "validation": Source(("validation parts of the sets named in the rows",)),
    "peers/airline": Source(("airpassengers",)),
    "peers/classic": Source(("classic_univariate",)),
    "peers/m3": Source(("m3",)),
    "peers/training": Source(("m3",), "0"),
}

# What does not depend on the shipped network: others are trained for it, or none is.
WITHOUT_SHIPPED = frozenset(
    {
        "airline_loop",
        "generator",
        "kill_resume",
        "online",
        "peers/airline",
        "peers/classic",
        "peers/m3",
        "peers/training",
        "temperature",
        "training_ar1",
        "training_loop",
    }
)


def header(name: str) -> dict[str, Any]:
    """Data sets, seeds, the commit that is measured, and the command that does it."""
    source = SOURCES.get(name)
    if source is None:
        print(
            f"benchmarks/headers.py does not name the data sets of {name!r}: add them."
        )
        source = Source((), "")
    script = Path(sys.argv[0]).name
    return {
        "data": list(source.data),
        "seed": source.seed,
        "commit": measured_commit(),
        "command": " ".join(["python", f"benchmarks/{script}", *sys.argv[1:]]),
    }


def measured_commit() -> str:
    """The commit of this checkout, and whether the package differs from it."""
    short = _git("rev-parse", "--short", "HEAD").strip()
    changed = _git("status", "--porcelain", "--", "src", "benchmarks").strip()
    return f"measured {short}{' with changes' if changed else ''}"


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), *words], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(
            f"A result names the commit that was measured, and git says: {done.stderr}"
        )
    return done.stdout
