"""All benchmarks one after the other, then what they say beside what was aimed at: `make bench`.

Peers (AutoETS, AutoTheta) are read from evidence/results/peers/ unless --peers is given. Takes
about ten minutes on two cores; those of training, which `make bench-training` runs (--training),
about as long. The last table, as Markdown, is also written to evidence/results/summary.md; it has
the numbers of what ran before, too.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from common import HERE, RESULTS, arguments, data_folder, read_result

SCRIPTS = (
    "speed",
    "m3",
    "airline",
    "classic",
    "m4",
    "coverage",
    "known",
    "ar1",
    "validate",
    "accuracy",
)
TRAINING = (
    "training_loop",
    "training_peers",
    "training_m3",
    "training_ar1",
    "online",
    "ticks",
    "kill_resume",
)
WITH_PEERS = ("m3", "airline", "classic")


class Goal(NamedTuple):
    """A number to reach, and where it is found."""

    what: str
    limit: float
    script: str
    found: Callable[[dict[str, Any]], float]
    at_least: bool = False


def row(result: dict[str, Any], method: str, part: str | None = None) -> dict[str, Any]:
    """The row of a method (and a set)."""
    rows = result["rows"]
    return next(
        one
        for one in rows
        if one["method"] == method and (part is None or one["set"] == part)
    )


def m3_ratio(metric: str, peer: str) -> Callable[[dict[str, Any]], float]:
    """Our error over a peer's, M3 monthly."""
    return lambda result: (
        row(result, "lstmcast", "m3_monthly")[metric]
        / row(result, peer, "m3_monthly")[metric]
    )


def m3_monthly(result: dict[str, Any]) -> dict[str, Any]:
    """The row of M3 monthly."""
    return next(one for one in result["rows"] if one["set"] == "m3_monthly")


def fewest(ours: str) -> Callable[[dict[str, Any]], float]:
    """How many times as many examples as the faster of the peers, with one layer or two."""
    return lambda result: min(
        value
        for name, value in result["times_as_fast"].items()
        if name.startswith(ours)
    )


GOALS = (
    Goal(
        "`forecast airline.csv --plot --out`, s",
        2.0,
        "speed",
        lambda r: r["process_airline_plot_out"],
    ),
    Goal(
        "the same without `--plot`, s", 1.0, "speed", lambda r: r["process_airline_out"]
    ),
    Goal("`lstmcast --help`, s", 0.5, "speed", lambda r: r["process_help"]),
    Goal(
        "`lstmcast check` on a million rows, s",
        5.0,
        "speed",
        lambda r: r["process_check_million_rows"],
    ),
    Goal("core install, MB", 500.0, "speed", lambda r: r["core_megabytes"]),
    Goal(
        "M3 monthly, MASE",
        0.845,
        "m3",
        lambda r: row(r, "lstmcast", "m3_monthly")["mase"],
    ),
    Goal(
        "M3 monthly, MASE relative to AutoETS", 1.0, "m3", m3_ratio("mase", "AutoETS")
    ),
    Goal(
        "M3 monthly, MASE relative to AutoTheta",
        1.0,
        "m3",
        m3_ratio("mase", "AutoTheta"),
    ),
    Goal(
        "M3 monthly, sMAPE %",
        13.9,
        "m3",
        lambda r: row(r, "lstmcast", "m3_monthly")["smape"],
    ),
    Goal(
        "M3 monthly, sMAPE relative to AutoETS", 1.0, "m3", m3_ratio("smape", "AutoETS")
    ),
    Goal(
        "M3 monthly, 1,428 series, whole process, s",
        3.0,
        "m3",
        lambda r: r["whole_process_seconds"],
    ),
    Goal(
        "airline, 13 cutoffs, H = 12, MAPE %",
        4.9,
        "airline",
        lambda r: row(r, "lstmcast")["mape"],
    ),
    Goal(
        "ten classic series, mean MASE relative to AutoETS",
        1.0,
        "classic",
        lambda r: r["mean_mase"]["lstmcast"] / r["mean_mase"]["AutoETS"],
    ),
    Goal(
        "M3 monthly, 80% intervals contain, %",
        85.0,
        "coverage",
        lambda r: m3_monthly(r)["calibrated80"],
    ),
    Goal(
        "… and at least",
        75.0,
        "coverage",
        lambda r: m3_monthly(r)["calibrated80"],
        True,
    ),
    Goal(
        "… at each step",
        90.0,
        "coverage",
        lambda r: max(m3_monthly(r)["calibrated80_by_step"]),
    ),
    Goal(
        "… and at least",
        70.0,
        "coverage",
        lambda r: min(m3_monthly(r)["calibrated80_by_step"]),
        True,
    ),
    Goal(
        "AR(1), one-step MAE of an H = 12 head over a one-step head's",
        1.05,
        "ar1",
        lambda r: r["ratio"]["mae"],
    ),
    Goal(
        "… through `fit`, causal inputs",
        1.05,
        "training_ar1",
        lambda r: r["ratio"]["causal_mae"],
    ),
    Goal(
        "… through `fit`, plain inputs",
        1.05,
        "training_ar1",
        lambda r: r["ratio"]["plain_mae"],
    ),
    Goal(
        "training loop over a bare PyTorch loop",
        1.15,
        "training_loop",
        lambda r: r["windows"]["ratio"],
    ),
    Goal(
        "1,000 epochs of the 5-4-3 network, s",
        4.0,
        "training_loop",
        lambda r: r["sequence"]["ours"],
    ),
    Goal(
        "windows trained per second relative to peers",
        3.0,
        "training_peers",
        fewest("lstmcast /"),
        True,
    ),
    Goal(
        "… loss at every step, examples",
        3.0,
        "training_peers",
        fewest("lstmcast, every step /"),
        True,
    ),
    Goal(
        "M3 monthly from scratch, MASE",
        0.85,
        "training_m3",
        lambda r: row(r, "scratch")["mase"],
    ),
    Goal(
        "… seconds of training",
        30.0,
        "training_m3",
        lambda r: row(r, "scratch")["seconds"],
    ),
    Goal(
        "M3 monthly fine-tuned, MASE",
        0.825,
        "training_m3",
        lambda r: row(r, "fine-tuned")["mase"],
    ),
    Goal(
        "… seconds of training",
        30.0,
        "training_m3",
        lambda r: row(r, "fine-tuned")["seconds"],
    ),
    Goal(
        "killed and resumed, share bit-identical",
        1.0,
        "kill_resume",
        lambda r: r["same"] / r["kills"],
        True,
    ),
)


def summary() -> str:
    """What was found beside what was aimed at, as a Markdown table."""
    lines = ["| number | aimed at | found | |", "|---|---|---|---|"]
    for goal in GOALS:
        result = read_result(goal.script)
        try:
            value = goal.found(result) if result else None
        # an option that was left out, or peers that were never fitted
        except (KeyError, StopIteration, ValueError):
            value = None
        sign = "≥" if goal.at_least else "≤"
        met = (
            ""
            if value is None
            else "yes"
            if (value >= goal.limit) == goal.at_least or value == goal.limit
            else "no"
        )
        lines.append(
            f"| {goal.what} | {sign} {goal.limit:g} | {'–' if value is None else f'{value:.3g}'} | "
            f"{met} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--peers", action="store_true", help="fit AutoETS and AutoTheta again (minutes)"
    )
    parser.add_argument(
        "--training", action="store_true", help="the benchmarks of training instead"
    )
    parser.add_argument(
        "--only",
        metavar="NAMES",
        help="which, with commas between them; '' for the summary",
    )
    given = parser.parse_args()
    data = data_folder(given.data)
    usual = TRAINING if given.training else SCRIPTS
    for name in usual if given.only is None else filter(None, given.only.split(",")):
        command = [sys.executable, str(HERE / f"{name}.py"), "--data", str(data)]
        command += ["--peers"] if given.peers and name in WITH_PEERS else []
        command += ["--dry"] if given.dry else []
        command += ["--install"] if name == "speed" else []
        print(f"\n== {name}", flush=True)
        if subprocess.run(command).returncode:
            sys.exit(f"benchmarks/{name}.py failed")
    text = summary()
    print(f"\n{text}")
    if not given.dry:
        (RESULTS / "summary.md").write_text(text)


if __name__ == "__main__":
    main()
