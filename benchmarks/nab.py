"""Anomalies of the Numenta Anomaly Benchmark, 58 files, by the rules of its own scorer.

Each file is read once, in the order of its rows, by the shipped network; scores follow from what
was known before each value (`lstmcast.anomalies`). What a file is scored by is its alert rule:
the score of a value that is more surprising than all in the 150 before it, 0 for others. One
threshold for all files is chosen by the scorer, as NAB does for every detector. The rules are
those of numenta/NAB (nab/sweeper.py, nab/scorer.py), written anew: the first part of a file (15%,
at most 750 values) counts nothing; the first detection in a window of an anomaly counts 1 to 0,
the sooner the more; one outside costs up to 0.11 (0.22 in the profile of few false positives),
the more the farther from the last window; a window that was missed costs 1 (2 in the profile of
few false negatives). 0 is a detector that never alerts, 100 one that finds each window at its
first value.

The memory (2,048 errors), the quiet time (150 values) and how ranks go on beyond records were
chosen on this corpus as a whole, as its detectors' authors did; nothing is chosen per file.

    N values of a file
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from common import arguments, data_folder, print_table, write_result
from numpy.typing import NDArray

import lstmcast as lc
from lstmcast.evaluation.anomalies import QUIET


class Profile(NamedTuple):
    """What a false positive and a false negative cost."""

    false_positive: float
    false_negative: float


PROFILES = {
    "standard": Profile(0.11, 1.0),
    "reward_low_FP_rate": Profile(0.22, 1.0),
    "reward_low_FN_rate": Profile(0.11, 2.0),
}
STEPS = {300: "5min", 600: "10min", 1800: "30min", 3600: "h"}


class File(NamedTuple):
    """The windows of a file, and what a detection at each of its values counts."""

    weight_N: NDArray  # in a window what finding it there earns, outside a cost
    window_N: NDArray  # the number of the window, −1 outside


def main() -> None:
    """Score all files and print the three profiles beside published ones."""
    import pandas as pd

    given = arguments(__doc__ or "").parse_args()
    data, began = data_folder(given.data), time.monotonic()
    table = pd.read_parquet(data / "nab.parquet")
    windows = pd.read_parquet(data / "nab_windows.parquet")
    files, scores, alerts = [], [], 0
    for name, rows in table.groupby("unique_id", observed=True):
        own = windows[windows["unique_id"] == name]
        times = rows["ds"].to_numpy()
        files.append(weighed(times, list(zip(own["start"], own["end"], strict=True))))
        found = scored(times, rows["value"].to_numpy(float))
        scores.append(first_of_events(np.nan_to_num(found.scores)))
        alerts += int(found.alerts.sum())
    ours: dict[str, object] = {"detector": "lstmcast"}
    for profile, costs in PROFILES.items():
        ours[profile], threshold = best_score(files, scores, costs)
        ours[f"threshold_{profile}"] = threshold
    published = pd.read_parquet(data / "nab_published_scores.parquet")
    rows = [
        ours,
        *published.sort_values("standard", ascending=False).to_dict("records"),
    ]
    print_table([{name: row[name] for name in ("detector", *PROFILES)} for row in rows])
    if not given.dry:
        result = {"rows": rows, "values": len(table), "alerts_at_0.001": alerts}
        write_result("nab", __doc__, result, time.monotonic() - began)


def scored(times: NDArray, values: NDArray) -> lc.Anomalies:
    """Scores of a file whose steps are taken to be regular, as far apart as most of them are."""
    seconds = np.median(np.diff(times.astype("datetime64[s]").astype(np.int64)))
    frequency = STEPS.get(int(seconds), "5min")
    panel = lc.Panel.from_arrays(
        {"value": values}, start="2015-01-01", frequency=frequency
    )
    return lc.anomalies(panel)


def first_of_events(score_N: NDArray) -> NDArray:
    """Scores that are greater than all in the quiet time before them, else 0."""
    padded = np.concatenate([np.zeros(QUIET), score_N[:-1]])
    before = np.lib.stride_tricks.sliding_window_view(padded, QUIET).max(axis=1)
    return np.where(score_N > before, score_N, 0.0)


def sigmoid(position: NDArray) -> NDArray:
    """From 1 at the start of a window (−1) over 0 at its end (0) to −1 far behind it."""
    return np.where(
        position > 3, -1.0, 2 / (1 + np.exp(5 * np.minimum(position, 3.0))) - 1
    )


def weighed(times: NDArray, windows: list) -> File:
    """What detections count at each value of a file."""
    size, index = len(times), np.arange(len(times))
    weight_N, window_N = np.full(size, -1.0), np.full(size, -1)
    most = float(sigmoid(np.array(-1.0)))
    for number, (begin, end) in enumerate(windows):
        left = int(np.flatnonzero(times == np.datetime64(begin))[0])
        right = int(np.flatnonzero(times == np.datetime64(end))[0])
        width, inside = right - left + 1, slice(left, right + 1)
        weight_N[inside] = sigmoid(-(right - index[inside] + 1) / width) / most
        window_N[inside] = number
        weight_N[right + 1 :] = sigmoid((index[right + 1 :] - right) / (width - 1))
    window_N[: min(int(0.15 * size), 750)] = -2  # counts nothing
    return File(weight_N, window_N)


def best_score(
    files: list[File], scores: list[NDArray], costs: Profile
) -> tuple[float, float]:
    """The score at the threshold that suits all files best, and the threshold."""
    at, gains, count = [], [], 0
    for file, score_N in zip(files, scores, strict=True):
        outside = file.window_N == -1
        at.append(score_N[outside])
        gains.append(file.weight_N[outside] * costs.false_positive)
        for number in range(file.window_N.max() + 1):
            inside = file.window_N == number
            order = np.argsort(-score_N[inside], kind="stable")
            best = np.maximum.accumulate(file.weight_N[inside][order])
            at.append(score_N[inside][order])
            # the sum, as the threshold falls: a window that is missed costs, then its best counts
            gains.append(np.diff(best, prepend=-costs.false_negative))
            count += 1
    score, gain = np.concatenate(at), np.concatenate(gains)
    order = np.argsort(-score, kind="stable")
    score, total = score[order], np.cumsum(gain[order])
    # all of one score are detected together
    total[:-1][score[1:] == score[:-1]] = -np.inf
    best = int(np.argmax(total))
    return 100 * max(float(total[best]), 0.0) / (
        count * (1 + costs.false_negative)
    ), score[best]


if __name__ == "__main__":
    main()
