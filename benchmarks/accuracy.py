"""How accurate the shipped network is: all numbers that are aimed at, by one command.

`make accuracy` forecasts the test parts of all data sets (`sets.py`) and the configurations of
GIFT-Eval whose data lie there, nothing trained. MASE is relative to that of the seasonal naive
forecast of the set's first period; the mean over sets is geometric, each of the ten classic series
a set of its own. Coverage is that of calibrated 80% intervals: 75–85% is right on a set with 200
windows or more, 70–90% at each step where there are 60; the rest is pooled by frequency. Single
sets stand beside the best of naive, drift, seasonal naive and mean of three cycles (of each
period), Holt–Winters, at the same cutoffs. Whole processes are timed beside another checkout.

Variants are chosen with `--validation`: the last windows before each set's first test cutoff. What
was measured is kept in runs/accuracy by version (a digest of sources and weights), method and set.
`--against` compares two versions set by set.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import accuracy_report as report
import accuracy_tables as arithmetic
from accuracy_cache import (
    HERE,
    OURS,
    Cache,
    Unit,
    Version,
    environment,
    stamp,
    version_of,
    yardstick_version,
)
from accuracy_tables import Row
from common import arguments, data_folder, print_table, write_result
from sets import ALL

import lstmcast as lc

RUNS = HERE.parent / "runs" / "accuracy"
PARTS = ("sets", "gift", "coverage", "raw", "time")
MOST_MEGABYTES = 2048  # of one process
# first, so that none of them runs alone at the end
LONGEST = ("m4_yearly", "m5_items_CA_1", "m4_hourly", "yosemite_5min", "m3_monthly")
SHIPPED_PROTOCOL = """How well the shipped network does on each data set, for its model card: test
    parts, nothing trained. One row per set: MASE and sMAPE of the median, coverage of the
    calibrated 80% and 95% intervals, and the seasonal naive forecast's MASE beside it. MASE
    divides by the in-sample error of the seasonal naive forecast with the set's first period (for
    competitions, the competition's). sMAPE means little for series with zeros. Variants are
    compared by `benchmarks/accuracy.py --validation`, not by these numbers."""


@dataclass(frozen=True)
class Run:
    """What is asked for."""

    data: Path
    shared: Path
    method: str
    thin: int | None  # most series of a validation part; None: test parts
    jobs: int
    cache: Cache
    failed: list[str] = field(default_factory=list)  # units that could not be measured

    @property
    def part(self) -> str:
        """The part of each set, as the cache names it."""
        return "test" if self.thin is None else f"validation-{self.thin}"

    @cached_property
    def gift(self) -> Any:
        """The script of GIFT-Eval's protocol; None where there is none."""
        if not (self.shared / "gift_eval.py").is_file():
            return None
        sys.path.insert(0, str(self.shared))
        import gift_eval  # type: ignore[import-not-found]  # lies beside the data

        return gift_eval

    def measured(
        self, version: Version, kind: str, names: Sequence[str]
    ) -> dict[str, Row]:
        """A row for each name, from the cache or measured now. Those that failed are missing."""
        units = [Unit(kind, name, self.part) for name in names]
        missing = [
            unit for unit in units if self.cache.row(version, unit, self.method) is None
        ]
        missing.sort(key=lambda unit: unit.name not in LONGEST)
        if missing and version.sources is not None:
            print(
                f"{version.digest}, {kind}: {len(missing)} of {len(units)} to measure",
                flush=True,
            )
            pool = ThreadPoolExecutor(self.jobs)
            try:
                list(pool.map(lambda unit: self.measure(version, unit), missing))
            finally:  # a run that is interrupted starts nothing more
                pool.shutdown(cancel_futures=True)
        rows = {unit.name: self.cache.row(version, unit, self.method) for unit in units}
        return {name: row for name, row in rows.items() if row is not None}

    def measure(self, version: Version, unit: Unit) -> None:
        """One unit in a process of its own, with the version's sources."""
        assert version.sources is not None
        out = self.cache.path(version, unit, self.method)
        out.parent.mkdir(parents=True, exist_ok=True)
        script = str(HERE / "accuracy_units.py")
        command = [sys.executable, script, unit.kind, unit.name, "--out", str(out)]
        command += ["--data", str(self.data), "--shared", str(self.shared)]
        command += ["--method", self.method, "--stamp", stamp()]
        if self.thin is not None:
            command += ["--validation", "--thin", str(self.thin)]
        began = time.perf_counter()
        done = subprocess.run(
            command, env=environment(version.sources), capture_output=True, text=True
        )
        row = self.cache.row(version, unit, self.method)
        if done.returncode or row is None:
            # all of them tend to fail for one reason, which is told in full once
            error = done.stderr.strip()
            told = error.rpartition("\n")[2] if self.failed else f"\n{error}"
            print(f"  {unit.kind} {unit.name} FAILED: {told}", flush=True)
            self.failed.append(f"{unit.kind} {unit.name}")
            return
        print(
            f"  {unit.kind} {unit.name}: {time.perf_counter() - began:.1f} s",
            flush=True,
        )
        if row["peak_megabytes"] > MOST_MEGABYTES:
            print(f"  {unit.name} took {row['peak_megabytes']:,.0f} MB of memory")


# ---------------------------------------------------------------- what is measured


def measure_sets(run: Run, version: Version, names: Sequence[str]) -> dict[str, Any]:
    """Rows of the sets and of the simple forecasts, and what follows from them."""
    rows = run.measured(version, "set", names)
    yardsticks = replace(run, method="auto").measured(
        yardstick_version(), "yardstick", names
    )
    ratios = arithmetic.relative(rows, yardsticks)
    result: dict[str, Any] = {
        "sets": rows,
        "yardsticks": yardsticks,
        "relative": ratios,
    }
    result["means"] = arithmetic.means(ratios, rows) if ratios else {}
    return result


def measure_gift(run: Run, version: Version, names: Sequence[str]) -> dict[str, Any]:
    """Rows of the configurations, and their means."""
    rows = run.measured(version, "gift", names)
    if not rows:
        return {}
    tables = run.gift.published()
    published = {
        metric: table.to_dict(orient="index")
        for metric, table in zip(("mase", "crps"), tables, strict=True)
    }
    return {"gift": {"rows": rows, **arithmetic.gift_means(rows, published)}}


def gift_names(run: Run, prefixes: tuple[str, ...]) -> list[str]:
    """The configurations that are asked for; none, and why, where there are none to be had."""
    if run.thin is not None:
        print(
            "GIFT-Eval is left out: it has test parts only, by which nothing is chosen."
        )
        return []
    if run.gift is None:
        print(
            f"GIFT-Eval is left out: {run.shared} holds no gift_eval.py. Name its folder with "
            "--shared DIR."
        )
        return []
    return [name for name in run.gift.CONFIGS if name.startswith(prefixes)]


def shipped_result(result: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of the model card and of the docs."""
    kept = ("set", "frequency", "series", "horizon", "origins", "protocol")
    errors = ("mase", "smape", "coverage80", "coverage95")
    rows = []
    for name, row in result["sets"].items():
        naive = {
            f"seasonal_naive_{metric}": result["yardsticks"][name][metric][
                "seasonal naive"
            ]
            for metric in ("mase", "smape")
        }
        rows.append({key: row[key] for key in (*kept, *errors)} | naive)
    return {
        "geometric_mean_to_seasonal_naive": result["means"]["all sets"],
        "rows": rows,
    }


def is_whole(run: Run, result: Mapping[str, Any]) -> bool:
    """Whether all test parts were measured, by the forecasts that users get."""
    configurations = len(result["gift"]["rows"]) if "gift" in result else 0
    everything = (
        result.get("sets", {}).keys() == ALL.keys()
        and configurations == arithmetic.CONFIGURATIONS
    )
    return everything and run.thin is None and run.method == "auto"


def measures_ours(given: argparse.Namespace) -> bool:
    """Whether this checkout is measured: result files state its weights."""
    imported = Path(lc.__file__).resolve().parents[1]
    return given.sources.resolve() in (OURS, OURS.parent) and imported == OURS


def kept_result(result: Mapping[str, Any]) -> dict[str, Any]:
    """What results/accuracy.json keeps: coverage in percent in place of counts at each step."""
    kept = dict(result)
    for part in ("sets", "raw"):
        if part in kept:
            kept[part] = {
                name: {key: row[key] for key in row if key not in ("hits", "stamp")}
                | {"coverage": arithmetic.coverage(row)}
                for name, row in kept[part].items()
            }
            kept[f"{part}_coverage_by_frequency"] = arithmetic.pooled_coverage(
                result[part]
            )
    kept["yardsticks"] = {
        name: row["mase"] for name, row in result["yardsticks"].items()
    }
    return kept | {"goals": arithmetic.goal_rows(result)}


def options() -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = arguments(__doc__ or "")
    add = parser.add_argument
    add(
        "--validation",
        action="store_true",
        help="validation parts: for choosing variants",
    )
    add("--thin", type=int, default=600, help="most series of a validation part")
    add("--sets", help="beginnings of names, with commas between them (default: all)")
    add(
        "--parts",
        default="sets,gift,coverage,time",
        help=f"which of {', '.join(PARTS)} (raw: coverage of the network's own quantiles)",
    )
    add(
        "--method",
        default="auto",
        help="auto, network, or another that the forecaster knows",
    )
    add(
        "--sources",
        type=Path,
        default=OURS,
        help="checkout, or its src, that is measured",
    )
    add(
        "--against",
        metavar="VERSION",
        help="compare with a checkout, a measured version, or a result file",
    )
    add(
        "--beside",
        type=Path,
        help="checkout whose whole processes are timed in turns with ours",
    )
    add("--shared", type=Path, help="folder with gift_eval.py (default: ../shared)")
    add("--cache", type=Path, action="append", help="more folders with measured rows")
    add(
        "--jobs",
        type=int,
        default=len(os.sched_getaffinity(0)),
        help="processes side by side",
    )
    return parser


def checked_parts(given: str) -> list[str]:
    """The parts asked for."""
    parts = [part for part in given.split(",") if part]
    unknown = [part for part in parts if part not in PARTS]
    if unknown or not parts:
        sys.exit(
            f"--parts {given}: some of {', '.join(PARTS)} are expected, with commas between."
        )
    return parts


def other_version(run: Run, given: str) -> tuple[Version, Run]:
    """The version to compare with, and a run that knows where its rows may be kept."""
    if Path(given).is_dir():
        version = version_of(Path(given))
        kept = Path(given) / "runs" / "accuracy"
        run = replace(
            run, cache=Cache((*run.cache.folders, *([kept] if kept.is_dir() else [])))
        )
    else:
        version = run.cache.version(given)
    return version, run if version.tells_methods else replace(run, method="auto")


def main() -> None:
    given = options().parse_args()
    data, began = data_folder(given.data), time.monotonic()
    parts = checked_parts(given.parts)
    prefixes = tuple(given.sets.split(",")) if given.sets else ("",)
    run = Run(
        data=data.resolve(),
        shared=(given.shared or HERE.parent.parent / "shared").resolve(),
        method=given.method,
        thin=given.thin if given.validation else None,
        jobs=max(1, given.jobs),
        cache=Cache((RUNS, *(given.cache or ()))),
    )
    version = version_of(given.sources)
    print(f"Version {version.digest}, method {version.method(run.method)}, {run.part}")
    names = [name for name in ALL if name.startswith(prefixes)]
    result: dict[str, Any] = {
        "version": version.digest,
        "method": version.method(run.method),
    }
    if "sets" in parts or "coverage" in parts:
        result |= measure_sets(run, version, names)
    report_sets(run, version, names, parts, result)
    configurations = gift_names(run, prefixes) if "gift" in parts else []
    if configurations:
        result |= measure_gift(run, version, configurations)
    if "gift" in result:
        report.gift(result)
    if given.against:
        compare(run, given.against, names, result.get("sets", {}))
    if "time" in parts and given.beside:
        # here: what it imports is of no use to the rest
        from accuracy_times import times

        result["time"] = times(version, version_of(given.beside), data)
        report.times(result)
    elif "time" in parts:
        print("\nWhole processes are not timed: --beside CHECKOUT says beside what.")
    finish(run, result, given, time.monotonic() - began)


def report_sets(
    run: Run,
    version: Version,
    names: Sequence[str],
    parts: Sequence[str],
    result: dict[str, Any],
) -> None:
    """Tables of the sets that were measured."""
    if "sets" in parts and result.get("sets"):
        report.sets(result)
        report.single(result)
    if "coverage" in parts and result.get("sets"):
        report.coverage(result["sets"], "Calibrated")
    if "raw" in parts:
        result["raw"] = run.measured(version, "raw", names)
        if result["raw"]:
            report.coverage(result["raw"], "The network's own quantiles")


def compare(
    run: Run, given: str, names: Sequence[str], rows: Mapping[str, Row]
) -> None:
    """These rows against those of another version, or of a result file."""
    if Path(given).is_file():
        before, label = rows_in(Path(given), run), given
    else:
        other, other_run = other_version(run, given)
        before, label = other_run.measured(other, "set", names), other.digest
    report.versus(arithmetic.versus(rows, before), rows, label)


def rows_in(file: Path, run: Run) -> dict[str, Row]:
    """The rows of shipped.json or accuracy.json of another time, by set."""
    if run.thin is not None:
        sys.exit(
            f"--against {file}: result files are of test parts, so they do not compare with "
            "--validation. Name a checkout or a measured version."
        )
    try:
        result = json.loads(file.read_text())
        rows = (
            result["sets"]
            if "sets" in result
            else {row["set"]: row for row in result["rows"]}
        )
        return {name: {"mase": float(row["mase"])} for name, row in rows.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        sys.exit(
            f"--against {file}: no rows with a set and its mase ({error!r}). A file such as "
            "evidence/results/shipped.json is expected."
        )


def finish(
    run: Run, result: dict[str, Any], given: argparse.Namespace, seconds: float
) -> None:
    """What was aimed at, and the result files of a full run on the test parts."""
    if run.thin is None and result.get("sets"):
        print("\nAimed at (before: commit 2f83425):")
        print_table(arithmetic.goal_rows(result))
    if is_whole(run, result) and measures_ours(given) and not given.dry:
        write_result("shipped", SHIPPED_PROTOCOL, shipped_result(result), seconds)
        write_result("accuracy", __doc__, kept_result(result), seconds)
    print(f"\n{seconds:.0f} s")
    if run.failed:
        sys.exit(
            f"Not measured: {', '.join(run.failed)}. What went wrong is said above."
        )


if __name__ == "__main__":
    main()
