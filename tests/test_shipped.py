"""The shipped network: how it was made is written down, and it is as good as is said of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.examples import airline
from lstmcast.evaluation.metrics import coverage, mape, mase, smape
from lstmcast.pretrained import WEIGHTS

M3 = Path(__file__).resolve().parents[2] / "shared" / "data" / "m3.parquet"


def test_its_manifest_says_how_it_was_made():
    manifest = json.loads((WEIGHTS / "manifest.json").read_text())
    assert manifest["trained_on"].startswith("synthetic series only")
    assert manifest["pretraining"]["seed"] == 0
    assert sum(manifest["seconds"]) < 2 * 3600  # at most an hour on two cores


def test_its_card_is_of_these_weights():
    card = (WEIGHTS / "CARD.md").read_text(encoding="utf-8")
    manifest = json.loads((WEIGHTS / "manifest.json").read_text())
    assert f"{manifest['pretraining']['steps']:,}" in card.replace("\n", " ")
    assert manifest["date"] in card
    for heading in (
        "Training data",
        "Accuracy",
        "Limitations",
    ):
        assert heading in card


@pytest.mark.paper
def test_airline_twelve_months_ahead():
    """13 cutoffs; the log airline model of Box and Jenkins has 4.17%, AR(13) on logs 4.16%."""
    panel = airline()
    counts = np.arange(84, 133, 4)[None]
    forecast = lc.LSTMForecaster(12).predict(panel, cutoffs=counts)
    actual = panel.values[counts[0][:, None] + np.arange(12)]
    assert mape(actual, forecast.point) <= 4.2


@pytest.mark.paper
@pytest.mark.skipif(
    not M3.exists(),
    reason="the M3 series are no part of the project; ../shared/data holds them",
)
def test_m3_monthly_is_better_than_exponential_smoothing():
    """The official test part. AutoETS has MASE 0.863 and sMAPE 14.16, Theta as submitted 0.858
    and 13.89."""
    import pandas as pd

    frame = pd.read_parquet(M3)
    series = [
        group
        for _, group in frame[frame["period"].str.upper() == "MONTHLY"].groupby(
            "unique_id", observed=True
        )
    ]
    history = {
        str(i): group["y"].to_numpy()[~group["is_test"].to_numpy()]
        for i, group in enumerate(series)
    }
    actual = np.array(
        [group["y"].to_numpy()[group["is_test"].to_numpy()] for group in series]
    )
    forecast = lc.LSTMForecaster(18).predict(
        lc.Panel.from_arrays(history, frequency="MS", start="2000-01")
    )
    scale = np.array(
        [np.abs(values[12:] - values[:-12]).mean() for values in history.values()]
    )
    assert mase(actual, forecast.point, scale) <= 0.845
    assert smape(actual, forecast.point) <= 13.9
    inside = forecast.interval(80)
    by_step = coverage(actual, inside.lower, inside.upper, axis=0)
    assert 0.75 <= coverage(actual, inside.lower, inside.upper) <= 0.85
    assert (by_step >= 0.70).all() and (by_step <= 0.90).all()
