"""Presets: what is planned for a panel, what is compared, what is saved."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

import lstmcast as lc
from builders import weeks
from lstmcast import presets
from lstmcast.cli.app import app
from lstmcast.data.origins import Origins
from lstmcast.errors import UsageError
from lstmcast.presets import AVERAGE, PRESETS, SCRATCH, SHIPPED, TUNED, Deadline, Preset
from lstmcast.pretrained import shipped

H = 7


def panel(count: int = 4, length: int = 130) -> lc.Panel:
    return weeks(count, length)


def test_what_is_trained_follows_from_the_number_of_values():
    balanced, best = PRESETS["balanced"], PRESETS["best"]
    assert balanced.planned(200) == []
    assert balanced.planned(6_000) == [TUNED]
    assert balanced.planned(30_000) == [TUNED, SCRATCH]
    assert best.planned(6_000) == [TUNED, SCRATCH]
    # of the time: trial and final training
    assert 2 * sum(presets.SHARES.values()) <= 1


def test_short_data_are_left_to_the_shipped_network(tmp_path):
    told = []
    result = lc.fit_preset(panel(1, 60), H, progress=told.append)
    assert result.chosen == SHIPPED
    assert result.errors == {}
    assert "nothing is trained" in told[0]
    result.save(tmp_path / "model")
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    assert manifest["preset"]["chosen"] == SHIPPED
    np.testing.assert_allclose(
        lc.load(tmp_path / "model").predict().point,
        lc.LSTMForecaster(H).predict(panel(1, 60)).point,
    )
    too_short = lc.fit_preset(panel(1, 9), H)
    assert "too short to hold anything out" in too_short.plan[0]


@pytest.mark.slow
def test_held_out_cutoffs_decide_and_the_average_is_one_model(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="needs the train extra")
    data, told = panel(), []
    asked = []

    def backtest(model, panel, *, cutoffs, **words):
        members = len(model.model.network.members)
        ends = model.trained_ends
        # nothing that is compared has seen what comes after the first cutoff
        first = panel.starts + (cutoffs.min(axis=1) - 1).astype("timedelta64[D]")
        assert ends is None or all(
            np.datetime64(ends[str(name)]) <= end
            for name, end in zip(panel.ids, first, strict=True)
        )
        asked.append(members)
        return SimpleNamespace(model="m", scores={"m": {"mase": 1.0 / members}})

    monkeypatch.setattr(presets, "backtest", backtest)
    work = Preset("best", 60.0, (1, 1), 1, 100)
    result = lc.fit_preset(data, H, work, progress=told.append)
    assert asked == [2, 2, 1, 6]
    assert result.chosen == AVERAGE
    assert list(result.errors) == [SHIPPED, TUNED, SCRATCH, AVERAGE]
    assert "Selected: average." in str(result)
    assert any("fine-tuned" in text for text in told)
    result.save(tmp_path / "model")
    loaded = lc.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict().point, result.model.predict().point)
    # trained again with all data but for the part that is held back as usual
    assert max(loaded.record.trained_ends.values()) > np.datetime64("2024-05-01")
    network = result.model.network
    parts = [lc.Network(network.config, network.members[k : k + 2]) for k in (0, 2, 4)]
    np.testing.assert_array_equal(
        parts[0].members[0]["head.weight"], shipped().members[0]["head.weight"]
    )
    origins = Origins(np.arange(len(data)), data.lengths)
    answers = [
        lc.LSTMForecaster(H, weights=part).model.decode(data, origins, H)
        for part in parts
    ]
    together = lc.LSTMForecaster(H, weights=network).model.decode(data, origins, H)
    np.testing.assert_allclose(together, np.mean(answers, axis=0), rtol=0.02)


def test_hardly_better_is_not_better():
    assert presets._best({SHIPPED: 1.0, TUNED: 0.991, AVERAGE: 0.995}) == SHIPPED
    assert presets._best({SHIPPED: 1.0, TUNED: 0.98, AVERAGE: 0.97}) == AVERAGE
    assert presets._best({SHIPPED: 1.0, TUNED: np.nan}) == SHIPPED
    assert presets._best({}) == SHIPPED


def test_a_deadline_counts_from_the_first_epoch():
    now = [100.0]
    deadline = Deadline(10.0, clock=lambda: now[0])
    assert not deadline(SimpleNamespace(seconds=4.0))
    now[0] = 105.9
    assert not deadline(SimpleNamespace(seconds=9.9))
    now[0] = 106.0
    assert deadline(SimpleNamespace(seconds=10.0))


def test_an_unknown_preset_is_refused_before_anything_is_read():
    with pytest.raises(
        UsageError, match=r"preset='fast' is not known\. Use one of: 'bal"
    ):
        lc.fit_preset("no-such-file.csv", H, "fast")


def test_the_command(tmp_path):
    pytest.importorskip("torch", reason="needs the train extra")
    rows = [f"{np.datetime64('2024-01-01') + t},{10 + t % 7}" for t in range(50)]
    (tmp_path / "sold.csv").write_text("\n".join(["day,sold", *rows]))
    place = str(tmp_path / "model")
    said = ["fit", str(tmp_path / "sold.csv"), "--horizon", "7", "--model", place]
    done = CliRunner().invoke(app, [*said, "--preset", "balanced"])
    assert done.exit_code == 0, done.output
    assert "nothing is trained" in done.stdout
    assert "Selected: shipped." in done.stdout
    assert lc.load(place).predict().point.shape == (1, 7)
    idle = CliRunner().invoke(app, [*said, "--preset", "best", "--epochs", "3"])
    assert (
        "--epochs would have no effect: --preset best decides" in idle.exception.message
    )
    unknown = CliRunner().invoke(app, [*said, "--preset", "fast"])
    assert "preset='fast' is not known" in str(unknown.exception)
    as_json = CliRunner().invoke(app, [*said, "--preset", "best", "--json", "--quiet"])
    assert json.loads(as_json.stdout)["training"]["preset"] == "best"


@pytest.mark.parametrize(
    ("horizon", "preset", "text"),
    [(0, "balanced", "horizon must be"), (2, 5, "preset=5 is not known")],
)
def test_words_that_make_no_sense(horizon, preset, text):
    with pytest.raises(UsageError, match=text):
        lc.fit_preset(lc.Panel.from_arrays([1.0, 2] * 10), horizon, preset)


def test_known_columns_are_used_and_remembered():
    pytest.importorskip("torch", reason="needs the train extra")
    rng = np.random.default_rng(0)
    sale = (rng.random(227) < 0.3) * 1.0
    sold = {
        f"s{k}": 50 * np.exp(0.5 * sale[:220] + rng.normal(0, 0.05, 220))
        for k in range(2)
    }
    known = {"sale": dict.fromkeys(sold, sale)}
    data = lc.Panel.from_arrays(sold, frequency="D", start="2024-01-01", future=known)
    work = Preset("balanced", 60.0, (1, 1), 1, 10**9)
    result = lc.fit_preset(data, H, work)
    assert list(result.errors) == [SHIPPED, TUNED, AVERAGE]
    assert max(result.errors.values()) < 1
    without = lc.LSTMForecaster(H).predict(lc.Panel.from_arrays(sold)).point
    apart = np.ptp(result.model.predict(data).point, axis=1)
    assert (apart > 2 * np.ptp(without, axis=1)).all()


def test_an_epoch_of_few_series_has_as_many_updates_as_one_of_many():
    work = Preset("balanced", 60.0, (3, 4), 2, 10**9)
    trial = presets._Trial(work, lc.Panel.from_arrays([1.0, 2.0]), H, 0, (), print)
    tuned, scratch = trial._training(TUNED), trial._training(SCRATCH)
    assert (tuned.steps_per_epoch, tuned.epochs) == (25, 3)
    assert (scratch.steps_per_epoch, scratch.epochs, scratch.members) == (25, 4, 2)
