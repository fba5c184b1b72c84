"""The kernel of the page computes what the package does, in Node.js."""

from __future__ import annotations

import json

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.origins import origins_of
from lstmcast.export.web import PAGE
from lstmcast.fitted import Fitted
from lstmcast.model.heads import HEAD_QUANTILES
from lstmcast.pretrained import WEIGHTS, shipped
from nodejs import node


def noise(count: int, seed: int = 1):
    return np.random.default_rng(seed).normal(size=count)


def wave(count: int, period: float, size: float = 10.0):
    return 50 + size * np.sin(2 * np.pi * np.arange(count) / period) + noise(count)


def with_gaps(values):
    return np.where(np.random.default_rng(2).random(len(values)) < 0.1, np.nan, values)


def rare(count: int):
    rng = np.random.default_rng(3)
    return np.where(rng.random(count) < 0.7, 0, rng.poisson(3, count)).astype(float)


def growth(count: int):
    steps = np.arange(count)
    return 110 * np.exp(steps / 60 + np.sin(steps * np.pi / 6) / 5 + noise(count) / 50)


def edited(values, places, value: float):
    values = np.array(values, float)
    values[places] = value
    return values


CASES = {
    "three values": ([3.0, 5, 4], "MS", 4),
    "one year": (wave(12, 12), "MS", 6),
    "a short line": (4 + 3.0 * np.arange(7) + noise(7) / 9, "YS", 3),
    "a season seen once": (wave(20, 12), "MS", 6),
    "a season of both signs": (wave(11, 7) - 50, "D", 9),
    "constant": (np.full(40, 7.0), "D", 9),
    "below 0": (np.linspace(-5, 9, 60) + noise(60) / 99, "YS", 8),
    "a walk": (np.cumsum(noise(260)), "D", 20),
    "weeks with gaps": (with_gaps(100 + np.arange(180) + noise(180)), "W-MON", 16),
    "fed back": (wave(130, 12), "MS", 36),
    "a year in days": (
        np.exp(wave(1100, 365.25, 0.5) / 50 + 0.05 * noise(1100)),
        "D",
        30,
    ),
    "a year of both signs": (wave(1000, 365.25) - 50, "D", 28),
    "a year in weeks": (wave(330, 52.18), "W-MON", 20),
    "hours and days": (wave(700, 24) + 3 * (np.arange(700) // 24 % 7 > 4), "h", 60),
    "mostly 0": (rare(300), "D", 14),
    "counts": (np.random.default_rng(4).poisson(4, 120).astype(float), "MS", 12),
    "a shift": (np.r_[50 + noise(80), 90 + noise(30)], "MS", 12),
    "a surprise at the end": (np.r_[50 + noise(80), 90.0], "MS", 12),
    "spikes": (np.where(np.arange(150) % 37 == 20, 500, 50 + noise(150)), "D", 14),
    "a period of its own": (wave(500, 23), "h", 40),
    "business days": (np.exp(np.cumsum(noise(400)) / 100), "B", 20),
    "percentages at 100": (np.minimum(100, np.rint(98 + 2 * noise(300))), "D", 14),
    "shares of both limits": (np.clip(wave(900, 7, 60), 5, 100), "D", 20),
    "a price with offers": (np.where(np.arange(300) % 23 > 16, 2.99, 3.99), "D", 20),
    "every second month": (50 - 40.0 * (-1) ** np.arange(96) + noise(96), "MS", 12),
    "once a year": (
        np.where(np.arange(120) % 12 == 3, 9000 + 99 * noise(120), 0),
        "MS",
        12,
    ),
    "stairs": (100 + 10.0 * (np.arange(300) // 10), "D", 20),
    "a meter read backwards": (
        -np.cumsum(5 + np.abs(noise(60)) + np.arange(60) % 7),
        "D",
        12,
    ),
    "a month that failed": (np.where(np.arange(96) == 82, 12, wave(96, 12)), "MS", 12),
    "a day that failed": (np.where(np.arange(300) == 290, 0, wave(300, 7)), "D", 12),
    "very large": (1e9 * wave(90, 12), "MS", 12),
    "a line through 0": (30 - 0.4 * np.arange(90) + noise(90), "D", 14),
    "codes for missing": (
        edited(100 + 2 * noise(200), slice(3, None, 17), -999),
        "D",
        12,
    ),
    "a stray value below 0": (edited(growth(144), 3, -1), "MS", 12),
    "an hour that failed": (edited(wave(480, 24, 25), 300, 0), "h", 24),
    "an outage that is over": (edited(wave(480, 24, 25), slice(300, 312), 0), "h", 24),
    "a wrong first value": (edited(wave(60, 12), 0, 0.01), "MS", 12),
    "equal first values": (np.r_[np.full(12, 5.0), 50], "MS", 6),
    "a shift after a cycle": (
        np.repeat([100.0, 200], [29, 2]) * np.exp(noise(31) / 33),
        "h",
        6,
    ),
    "closed weeks": (
        edited(wave(300, 52, 20), [103, 135, 165, 207, 240], 1),
        "W-MON",
        12,
    ),
    "a closed hour a day": (edited(wave(480, 24), [420, 444], 1), "h", 24),
    "a lasting shift": (
        np.repeat([50.0, 150], [48, 24]) * np.exp(noise(72) / 20),
        "MS",
        12,
    ),
    "a lasting shift with gaps": (
        with_gaps(np.repeat([9.0, -9], [150, 60]) + noise(210)),
        "D",
        9,
    ),
    "a strike that is over": (edited(wave(300, 7), slice(230, 245), 5), "D", 14),
    "a strike that is just over": (edited(wave(300, 7), slice(286, 296), 5), "D", 14),
    "a month of holidays": (edited(wave(120, 12), slice(7, None, 12), 0), "MS", 12),
    "an hour without service": (edited(wave(480, 24), slice(4, None, 24), 0), "h", 24),
    "visits": (np.random.default_rng(6).integers(3, 41, 120).astype(float), "D", 14),
    "marks below 100": (np.rint(wave(90, 7)), "D", 14),
    "a closed Sunday": (
        edited(
            np.random.default_rng(8).poisson(3, 150).astype(float), slice(6, None, 7), 0
        ),
        "D",
        14,
    ),
    "a stuck sensor": (edited(wave(480, 24), slice(470, 480), 52.5), "h", 24),
    "a sensor that was stuck with gaps": (
        edited(with_gaps(wave(480, 24)), slice(470, 480), 52.5),
        "h",
        24,
    ),
    "an outage now": (edited(wave(300, 7), slice(297, 300), 0), "D", 14),
    "a level and a season that changed": (
        np.r_[wave(200, 7), 200 + 4 * wave(100, 3.5)],
        "D",
        14,
    ),
    "the same with both signs": (
        np.r_[wave(200, 7) - 50, 200 + 4 * wave(100, 3.5)],
        "D",
        14,
    ),
    "a launch": (
        np.r_[np.zeros(170), np.random.default_rng(8).poisson(30, 30)],
        "D",
        14,
    ),
    "a line": (3.0 * np.arange(40) + 5, "D", 14),
    "growth of its own": (np.round(100 * 1.03 ** np.arange(50), 2), "MS", 12),
    "a pattern of its own": (np.tile([5.0, 9, 2, 4, 30], 8), "D", 14),
    "waves without noise": (
        3 + np.sin(np.arange(90) / 5) + np.sin(np.arange(90) / 2.3) / 2,
        "D",
        20,
    ),
    "rounded waves": (np.round(20 + 10 * np.sin(np.arange(80) / 5), 1), "D", 20),
    "a curve": (np.arange(30.0) ** 2 + 0.5, "D", 12),
    "a closed hour a week": (edited(wave(480, 24), [270, 438], 1), "h", 24),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What the kernel answers of each case, and the panels."""
    panels = {name: panel_of(*case[:2]) for name, case in CASES.items()}
    given = [
        {
            "values": [
                None if np.isnan(value) else value for value in panel.values.tolist()
            ],
            "unit": panel.frequency.unit,
            "every": panel.frequency.every,
            "periods": list(panel.periods),
            "family": panel.frequency.family,
            "horizon": CASES[name][2],
        }
        for name, panel in panels.items()
    ]
    file = tmp_path_factory.mktemp("web") / "cases.json"
    file.write_text(json.dumps(given), encoding="utf-8")
    told = node("kernel.mjs", PAGE, WEIGHTS / "weights.safetensors", file)
    return dict(zip(panels, zip(told, panels.values(), strict=True), strict=True))


def panel_of(values, frequency: str):
    """A panel as it is read from a table, so that it is recognised what values can be."""
    grid = lc.Panel.from_arrays(values, frequency=frequency, start="2015-01-05")
    table = {"time": grid.times(0), "value": grid.values}
    return lc.read(table, frequency=frequency, calendar="all")


@pytest.mark.services
@pytest.mark.parametrize("name", CASES)
def test_the_kernel_answers_as_the_package(name, answers):
    told, panel = answers[name]
    size = np.nanmax(np.abs(panel.values))
    horizon = CASES[name][2]
    alone = Fitted(shipped()).decode(panel, origins_of(panel), horizon)[0]
    assert np.allclose(told["alone"], alone, rtol=0, atol=1e-6 * size)
    forecast = lc.LSTMForecaster(horizon, quantiles=HEAD_QUANTILES).predict(panel)
    assert np.allclose(
        told["quantiles"], forecast.quantiles[0], rtol=0, atol=1e-5 * size
    )
    shares = forecast.combination.as_dict()
    assert told["shares"][0] == ["network", pytest.approx(shares["network"], abs=1e-3)]
