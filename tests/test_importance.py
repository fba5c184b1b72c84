"""What a forecast owes to columns and lags, by permutation."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import lstmcast as lc
from lstmcast.cli.app import app
from lstmcast.covariates import effects
from lstmcast.covariates.effects import solved
from lstmcast.data.origins import Origins
from lstmcast.errors import DataError, UsageError
from lstmcast.evaluation.importance import held_out
from lstmcast.evaluation.permuting import blocks, changes
from lstmcast.forecast import Forecast
from lstmcast.updating import remembering

H = 4


class Formula:
    """Forecasts that are a formula of what is known, so that what matters is known too."""

    past = ("visits",)
    reads_future = True
    horizon = H

    def __init__(self, trained=None):
        self.trained_ends = trained

    @property
    def config(self):
        column = type("Column", (), {"name": "size"})
        return type("Config", (), {"static": (column,)})

    def predict(self, panel, horizon=None, /, *, cutoffs=None):
        covariates = panel.covariates
        future, ends = covariates.future, panel.offsets[1:] - 1
        steps = (future.offsets[:-1] + panel.lengths)[:, None] + np.arange(horizon)
        price = future.columns["price"][steps]
        visits = covariates.past["visits"][ends][:, None]
        size = covariates.static["size"][:, None]
        origins = Origins(np.arange(len(panel)), panel.lengths)
        point = (
            100 + 10 * price + 3 * visits + 5 * size + 0 * panel.values[ends][:, None]
        )
        return Forecast.at_origins(panel, origins, point)


def panel(count=6, length=60):
    """Values that are the formula, up to a little noise; "idle" says nothing."""
    rng = np.random.default_rng(0)
    price = {f"s{k}": rng.normal(size=length + H) for k in range(count)}
    idle = {f"s{k}": rng.normal(size=length + H) for k in range(count)}
    visits = {f"s{k}": np.repeat(rng.normal(size=length // H), H) for k in range(count)}
    size = {f"s{k}": float(k) for k in range(count)}
    values = {}
    for name in price:
        known = np.r_[visits[name][0], visits[name][:-1]]
        before = np.repeat(known[::H], H)
        values[name] = 100 + 10 * price[name][:length] + 3 * before + 5 * size[name]
        values[name] += rng.normal(0, 0.1, length)
    return lc.Panel.from_arrays(
        values,
        frequency="D",
        start="2024-01-01",
        past={"visits": visits},
        future={"price": price, "idle": idle},
        static={"size": size},
    )


def test_what_the_formula_reads_matters_and_nothing_else():
    found = lc.importance(Formula(), panel(), repeats=5)
    growth = {part.name: part.growth for part in found.parts}
    assert [part.name for part in found.parts][:3] == ["size", "price", "visits"]
    assert growth["price"] > 500 and growth["size"] > 300 and growth["visits"] > 100
    lags = ["step 1", "steps 2 to 7", "steps 8 to 28", "steps 29 and older"]
    assert [growth[name] for name in ("idle", *lags)] == [0.0] * 5
    roles = {part.name: part.role for part in found.parts}
    assert (roles["price"], roles["visits"], roles["size"], roles["step 1"]) == (
        *("known in advance", "past column"),
        *("static column", "lags"),
    )
    price = found.parts[1]
    assert price.lower <= price.growth <= price.upper
    assert price.lower < price.upper
    assert (found.measure, found.cutoffs, found.series, found.repeats) == (
        "MASE",
        3,
        6,
        5,
    )


def sales(days=100):
    rng = np.random.default_rng(0)
    sale = (rng.random(days + H) < 0.3) * 1.0
    sold = np.exp(3 + 0.5 * sale[:days] + rng.normal(0, 0.1, days))
    return lc.Panel.from_arrays(
        sold, frequency="D", start="2024-01-01", future={"sale": sale}
    )


def test_effects_are_estimated_once_for_all_permutations_of_coming_values(monkeypatch):
    count = []

    def counted(panel):
        count.append(len(panel))
        return solved(panel)

    monkeypatch.setattr(effects, "solved", counted)
    few = {"cutoffs": 2, "repeats": 3}
    found = lc.importance(lc.LSTMForecaster(H, method="network"), sales(), **few)
    known = [part for part in found.parts if part.role == "known in advance"]
    assert known[0].growth > 10
    lags = [part for part in found.parts if part.role == "lags"]
    # once for each cutoff; those of the past are of other values each time
    assert len(count) == 2 + 2 * 3 * len(lags)


def test_a_trained_model_is_asked_with_the_share_of_effects_that_it_uses(monkeypatch):
    shares = set()
    estimated = effects.Effects.__init__

    def noted(self, panel, *whole):
        shares.add(panel.covariates.future.share)
        estimated(self, panel, *whole)

    monkeypatch.setattr(effects.Effects, "__init__", noted)
    half = replace(sales().covariates.future, share=0.5)
    known = replace(sales(), covariates=replace(sales().covariates, future=half))
    model = lc.LSTMForecaster(H, method="network")
    trusting = remembering(model, known)
    lc.importance(trusting, sales(), cutoffs=1, repeats=1)
    assert shares == {0.5}


def test_effects_of_other_coming_values_are_as_if_estimated_anew():
    usual = sales()
    future = usual.covariates.future
    column = future.columns["sale"].copy()
    column[-H + 2 :] = 1 - column[-H + 2 :]  # not the step after the last: it leads
    changed = replace(future, columns={"sale": column})
    other = replace(usual, covariates=replace(usual.covariates, future=changed))
    anew = lc.LSTMForecaster(H, method="network").predict(replace(other))
    effects.with_effects_of(other, usual)
    shared = lc.LSTMForecaster(H, method="network").predict(other)
    np.testing.assert_allclose(shared.quantiles, anew.quantiles, rtol=1e-9)


def test_the_same_seed_gives_the_same_numbers():
    first, second = (
        lc.importance(Formula(), panel(), repeats=2, seed=4) for _ in range(2)
    )
    assert first.parts == second.parts
    assert first.parts != lc.importance(Formula(), panel(), repeats=2, seed=5).parts


def test_values_stay_those_of_the_series():
    data, rng = panel(), np.random.default_rng(0)
    for (name, role), change in changes(
        Formula(), data.until(data.lengths - H), H
    ).items():
        before = data.until(data.lengths - H)
        after = change(before, rng)
        for row in range(len(data)):
            assert set(after.series(row)) <= set(before.series(row)), name
        same = {
            "values": np.array_equal(after.values, before.values),
            "past": np.array_equal(
                after.covariates.past["visits"], before.covariates.past["visits"]
            ),
            "price": np.array_equal(
                after.covariates.future.columns["price"],
                before.covariates.future.columns["price"],
            ),
            "static": np.array_equal(
                after.covariates.static["size"], before.covariates.static["size"]
            ),
        }
        changed = {
            "lags": "values",
            "past column": "past",
            "static column": "static",
        }.get(role, name)
        assert [one for one, equal in same.items() if not equal] == [changed] * (
            name != "idle"
        )
    # what is known before the cutoff stays, so that what was learned of it does
    change = changes(Formula(), data, H)["price", "known in advance"]
    before, after = (one.covariates.future for one in (data, change(data, rng)))
    places = before.offsets[0] + np.arange(data.lengths[0])
    np.testing.assert_array_equal(
        before.columns["price"][places], after.columns["price"][places]
    )


def test_parts_of_the_past_follow_the_season():
    assert blocks(12) == [(1, 1), (2, 12), (13, 48), (49, None)]
    assert blocks(1) == [(1, 1), (2, 4), (5, 16), (17, None)]


def test_cutoffs_lie_after_what_was_trained_on():
    data = panel(3)
    ends = {"s0": data.times(0)[39], "s1": data.times(1)[-1]}
    counts = held_out(Formula(ends), data, H, 3)
    np.testing.assert_array_equal(counts[0], [48, 52, 56])
    assert not counts[1].any()
    np.testing.assert_array_equal(counts[2], [48, 52, 56])
    close = held_out(Formula({"s0": data.times(0)[54]}), data.select(["s0"]), H, 3)
    np.testing.assert_array_equal(close, [[55, 56]] if close.shape[1] == 2 else close)
    assert close.min(initial=99, where=close > 0) >= 55
    short = held_out(Formula({"s0": data.times(0)[57]}), data.select(["s0"]), H, 3)
    np.testing.assert_array_equal(short, [[58]])


def test_nothing_held_out_is_refused():
    data = panel(1)
    with pytest.raises(
        UsageError, match="trained on all of these data, so nothing is held out"
    ):
        lc.importance(Formula({"s0": data.times(0)[-1]}), data)
    with pytest.raises(DataError, match="longest series has 15 values, too few"):
        lc.importance(Formula(), data.until([15]))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"cutoffs": 0}, "cutoffs must be a whole number"),
        ({"repeats": 0}, "repeats must be a whole number"),
        ({"horizon": 0}, "horizon must be"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_words_that_make_no_sense(words, text):
    with pytest.raises(UsageError, match=text):
        lc.importance(Formula(), panel(2), **words)


def test_many_series_are_drawn_from(monkeypatch):
    from lstmcast.evaluation import importance as module

    monkeypatch.setattr(module, "MOST_SERIES", 2)
    assert lc.importance(Formula(), panel(), repeats=1).series == 2


def test_it_is_a_frame_a_file_a_picture_and_japanese(tmp_path):
    found = lc.importance(Formula(), panel(2), repeats=2)
    frame = found.frame("pandas")
    assert list(frame) == ["name", "role", "error", "growth", "lower", "upper"]
    found.write(tmp_path / "found.csv")
    assert (tmp_path / "found.csv").read_text().startswith("name,role,error")
    picture = lc.ImportancePlot.from_importance(found)
    bars = picture.figure().axes[0]
    labels = [text.get_text() for text in bars.get_yticklabels()]
    assert "price (known in advance)" in labels
    assert bars.patches[0].get_width() == found.parts[0].growth
    assert picture.save(tmp_path / "found.svg").stat().st_size > 1000
    japanese = lc.ImportancePlot.from_importance(found, language="ja")
    if not japanese.missing_letters():
        labels = [
            text.get_text() for text in japanese.figure().axes[0].get_yticklabels()
        ]
        assert "price (前もって分かる列)" in labels
    text = found.text("ja")
    assert "検証用の起点3個" in text and "前もって分かる列" in text
    assert "29ステップ前とそれ以前" in text
    assert json.dumps(found.document())


def test_the_command_asks_a_saved_model(tmp_path):
    rng = np.random.default_rng(0)
    sale = (rng.random(104) < 0.3) * 1.0
    sold = 50 * np.exp(0.5 * sale[:100] + rng.normal(0, 0.05, 100))
    days = np.datetime64("2024-01-01") + np.arange(104)
    rows = [
        f"{d},{v},{s:g}" for d, v, s in zip(days, [*sold, *[""] * 4], sale, strict=True)
    ]
    (tmp_path / "sold.csv").write_text("\n".join(["day,sold,sale", *rows]))
    data = lc.read(tmp_path / "sold.csv", time="day", target="sold", future=["sale"])
    model = lc.LSTMForecaster(H)
    model = model.with_fitted(model.model).replace(method="network")
    model.save(tmp_path / "model", data.until([92]))
    # the model remembers 92 values, and the permuted ones are those that are read
    said = [
        "importance",
        str(tmp_path / "sold.csv"),
        "--model",
        str(tmp_path / "model"),
    ]
    said += ["--time", "day", "--target", "sold", "--future", "sale", "--cutoffs", "2"]
    said += ["--repeats", "1", "--plot", str(tmp_path / "owed.png"), "--quiet"]
    done = CliRunner().invoke(app, said)
    assert done.exit_code == 0, done.output
    assert "MAE" in done.stdout and "known in advance" in done.stdout
    assert (tmp_path / "owed.png").exists()
    told = json.loads(CliRunner().invoke(app, [*said[:-3], "--json", "--quiet"]).stdout)
    parts = {part["name"]: part["growth"] for part in told["importance"]["parts"]}
    assert parts["sale"] > 30
    nowhere = CliRunner().invoke(app, [*said[:-3], "--model", str(tmp_path / "none")])
    assert "none" in str(nowhere.exception)


def test_what_a_model_remembers_does_not_repair_what_is_permuted():
    data = lc.Panel.from_arrays(np.random.default_rng(0).normal(9, 1, 60))
    model = lc.LSTMForecaster(H, method="network")
    kept = remembering(model.with_fitted(model.model), data)
    plain = lc.importance(model, data, repeats=2)
    assert lc.importance(kept, data, repeats=2).parts == plain.parts
    assert any(part.growth != 0 for part in plain.parts)
    assert replace(plain, repeats=2).error == plain.error
