"""The tables about training: what it costs, what it gives, and what happens to it when it is
killed."""

from __future__ import annotations

from collections.abc import Callable

from tables import (
    Results,
    measured,
    number,
    rows_of,
    seconds,
    share,
    table,
    text,
    with_protocol,
)


def m3(results: Results) -> str:
    """A line per way to train."""
    columns = {
        "method": ("method", str),
        "epochs": ("epochs", text(0)),
        "mase": ("MASE", text(3)),
        "smape": ("sMAPE %", text(2)),
        "scaled_crps": ("CRPS, scaled", text(3)),
        "coverage80": ("in 80%", share),
        "coverage95": ("in 95%", share),
        "seconds": ("seconds of training", text(1)),
    }
    return with_protocol(
        results, "training_m3", table(rows_of(results, "training_m3"), columns)
    )


def loop(results: Results) -> str:
    """Our seconds beside the bare loop's."""
    names = {
        "windows": "2 × 128 units, an update, all threads",
        "one_thread": "the same, one thread",
        "sequence": "5-4-3 units, 1,000 epochs",
    }
    found = [
        {"what": what, **results["training_loop"][name]} for name, what in names.items()
    ]
    columns = {
        "what": ("", str),
        "ours": ("lstmcast, s", text(3)),
        "bare": ("bare loop, s", text(3)),
    }
    columns["ratio"] = ("ratio", text(2))
    return with_protocol(results, "training_loop", table(found, columns))


def peers(results: Results) -> str:
    """Windows and examples per second of each library, and how many times as many ours are."""
    columns = {
        "library": ("library", str),
        "layers": ("layers", text(0)),
        "windows_per_second": ("windows / s", text(0)),
        "relative": ("… / bare loop's", text(2)),
        "examples_per_second": ("examples / s", text(0)),
        "examples_relative": ("… / bare loop's", text(2)),
    }
    times = results["training_peers"]["times_as_fast"]
    ratios = [{"pair": pair, "times": value} for pair, value in times.items()]
    compared = table(
        ratios, {"pair": ("examples per second", str), "times": ("ratio", text(2))}
    )
    body = f"{table(rows_of(results, 'training_peers'), columns)}\n\n{compared}"
    return with_protocol(results, "training_peers", body)


def ar1(results: Results) -> str:
    """A line per forecast of the next value."""
    columns = {
        "forecast": ("forecast", str),
        "mae": ("MAE", text(4)),
        "rmse": ("RMSE", text(4)),
    }
    columns["ratio_mae"] = ("MAE / one-step network's", text(3))
    return with_protocol(
        results, "training_ar1", table(rows_of(results, "training_ar1"), columns)
    )


def killed(results: Results) -> str:
    """A line per kind of training."""
    rows = rows_of(results, "kill_resume")
    kinds = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        ours = [row for row in rows if row["kind"] == kind]
        moments = [row["moment"] for row in ours]
        kinds.append(
            {
                "kind": kind,
                "whole": seconds(ours[0]["whole_seconds"]),
                "kills": number(len(ours), 0),
                "moments": f"{min(moments):.1f} … {max(moments):.1f} s",
                "same": number(sum(row["same"] for row in ours), 0),
            }
        )
    columns = {
        "kind": ("training", str),
        "whole": ("takes", str),
        "kills": ("killed", str),
        "moments": ("after", str),
        "same": ("same bits after resuming", str),
    }
    return with_protocol(results, "kill_resume", table(kinds, columns))


def online(results: Results) -> str:
    """Ticks per second: a line per number of rows, a column per way."""
    rows = rows_of(results, "online")
    by_rows = [
        {
            "rows": count,
            **{
                row["way"]: row["ticks_per_second"]
                for row in rows
                if row["rows"] == count
            },
        }
        for count in dict.fromkeys(row["rows"] for row in rows)
    ]
    columns = {
        "rows": ("rows", text(0)),
        "predicting": ("predicting", text(0)),
        "every tick": ("learning at every tick (chunk 4)", text(0)),
        "every 4th": ("learning every 4th tick", text(0)),
    }
    return f"{table(by_rows, columns)}\n\n{measured(results['online'])}"


def ticks(results: Results) -> str:
    """A line per network and number of rows."""
    columns = {
        "what": ("network", str),
        "rows": ("rows", text(0)),
        "floor": ("floor, ms", text(3)),
        "median": ("median, ms", text(3)),
        "mean": ("mean, ms", text(3)),
        "p99": ("99%, ms", text(3)),
        "median_over_floor": ("median / floor", text(1)),
        "mean_over_floor": ("mean / floor", text(1)),
        "keras_over_median": ("Keras / median", text(1)),
    }
    return with_protocol(results, "ticks", table(rows_of(results, "ticks"), columns))


TRAINING: dict[str, Callable[[Results], str]] = {
    "training-m3": m3,
    "training-loop": loop,
    "training-peers": peers,
    "training-ar1": ar1,
    "killed": killed,
    "online": online,
    "ticks": ticks,
}
