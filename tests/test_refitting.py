"""Backtests that fit: what a fit sees, what is refused, several processes, and going on after an
interruption."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmcast import store
from lstmcast.data.panel import Panel
from lstmcast.errors import (
    DataError,
    MissingExtraError,
    ModelError,
    OutputError,
    UsageError,
)
from lstmcast.evaluation.backtest import backtest
from lstmcast.evaluation.baselines import Naive, SeasonalNaive
from lstmcast.evaluation.resuming import facts
from lstmcast.util.parallel import spread

TESTS = Path(__file__).parent
COUNTS = [24, 28, 32, 36]  # of 40 values, with 4 cutoffs and horizon 4


@pytest.fixture
def trainable(monkeypatch):
    """The module of the model that learns, as other processes import it."""
    monkeypatch.syspath_prepend(TESTS)
    import trainable

    return trainable


@pytest.fixture
def model(trainable, tmp_path):
    return trainable.Pull(log=str(tmp_path / "fits"))


@pytest.fixture
def panel() -> Panel:
    rng = np.random.default_rng(5)
    series = {name: 50 + np.arange(40.0) + rng.normal(0, 1, 40) for name in "ab"}
    return Panel.from_arrays(series, frequency="MS", start="2020-01", periods=(4,))


@pytest.fixture
def ragged(panel) -> Panel:
    """Too short for all cutoffs but the last, and a series that is too short for any."""
    series = {
        "a": panel.series(0),
        "late": panel.series(1)[:16],
        "short": [1.0, 2.0, 3.0],
    }
    return Panel.from_arrays(series, frequency="MS", start="2020-01", periods=(4,))


def tried(model, panel, **arguments):
    return backtest(
        model, panel, **{"cutoffs": 4, "horizon": 4, "baselines": False} | arguments
    )


def point(result) -> np.ndarray:
    """(S, K, H)"""
    return result.forecasts[result.model].point.reshape(*result.counts.shape, -1)


# ---------------------------------------------------------------- what a fit sees


def test_once_fits_on_what_precedes_the_first_cutoff_and_each_at_every_cutoff(
    model, panel, trainable
):
    once = tried(model, panel)
    assert trainable.fits(model.log) == COUNTS[:1]
    assert once.refit == "once"
    assert (
        once.notes[-1]
        == "The model was fitted once, on the data before the first cutoff (2021-12-01)."
    )
    each = tried(model, panel, refit="each")
    assert trainable.fits(model.log) == sorted(COUNTS[:1] + COUNTS)
    assert (
        each.notes[-1]
        == "The model was refitted at each of 4 cutoffs, on the data before it."
    )
    np.testing.assert_array_equal(point(once)[:, 0], point(each)[:, 0])
    assert (point(once)[:, 1:] != point(each)[:, 1:]).all()


def test_forecasts_are_those_of_the_model_fitted_by_hand(model, panel):
    each, once = tried(model, panel, refit="each"), tried(model, panel, refit="once")
    for k, count in enumerate(COUNTS):
        known = panel.until([count, count])
        fitted = model.fit(known).predict(known, 4)
        np.testing.assert_array_equal(point(each)[:, k], fitted.point)
        np.testing.assert_array_equal(
            each.forecasts["pull"].quantiles.reshape(2, 4, 4, 3)[:, k], fitted.quantiles
        )
    first = model.fit(panel.until([24, 24]))
    by_hand = tried(first, panel)  # fitted: used as it is
    assert by_hand.refit == "never"
    np.testing.assert_array_equal(point(by_hand), point(once))
    assert (
        by_hand.forecasts["pull"].quantile_levels
        == once.forecasts["pull"].quantile_levels
        == (0.1, 0.5, 0.9)
    )
    np.testing.assert_array_equal(
        by_hand.forecasts["pull"].times, once.forecasts["pull"].times
    )


@pytest.mark.parametrize("refit", ["once", "each"])
@pytest.mark.parametrize("k", range(4))
def test_what_comes_after_a_cutoff_changes_nothing(model, panel, refit, k):
    values = panel.values.reshape(2, 40).copy()
    values[:, COUNTS[k] :] = -1000
    changed = replace(panel, values=values.ravel())
    before, after = (
        point(tried(model, panel, refit=refit)),
        point(tried(model, changed, refit=refit)),
    )
    np.testing.assert_array_equal(before[:, : k + 1], after[:, : k + 1])
    assert k == 3 or (before[:, k + 1 :] != after[:, k + 1 :]).any()


def test_a_model_that_looks_ahead_has_nothing_to_see(trainable, panel):
    class Peeking(trainable.Pull):
        def predict(self, panel, horizon=None, *, cutoffs=None):
            seen.append(panel.lengths.tolist())
            return super().predict(panel, horizon, cutoffs=cutoffs)

    seen = []
    tried(Peeking(), panel)
    assert seen == [[count, count] for count in COUNTS]


def test_a_model_without_quantiles_may_be_fitted(trainable, panel):
    class Plain(trainable.Pull):
        def predict(self, panel, horizon=None, *, cutoffs=None):
            whole = super().predict(panel, horizon, cutoffs=cutoffs)
            return replace(
                whole, quantiles=whole.quantiles[..., :0], quantile_levels=()
            )

    result = tried(Plain(), panel, refit="each")
    assert result.forecasts["pull"].quantiles.shape == (8, 4, 0)
    np.testing.assert_array_equal(
        point(result), point(tried(trainable.Pull(), panel, refit="each"))
    )


def test_a_series_that_begins_later_joins_at_its_first_cutoff(model, ragged):
    counts = np.array([[24, 28, 32, 36], [0, 0, 8, 12], [0, 0, 0, 0]])
    each = tried(model, ragged, cutoffs=counts, refit="each")
    lengths = [
        json.loads(line)["lengths"] for line in Path(model.log).read_text().splitlines()
    ]
    assert lengths == [[24], [28], [32, 8], [36, 12]]
    assert np.isfinite(point(each)).all(axis=2).tolist() == (counts > 0).tolist()
    once = tried(model, ragged, cutoffs=counts)
    assert np.isfinite(point(once)).all(axis=2).tolist() == (counts > 0).tolist()
    assert (
        once.notes[-1]
        == "1 of 3 series have a later first cutoff, so the model was not fitted on them."
    )
    assert each.summary().scores.keys() == once.summary().scores.keys()
    assert np.isfinite(each.scores["pull"]["mae"])
    assert "NaN" not in each.to_json()


def test_series_and_cutoffs_that_know_nothing_are_not_fitted_on(model, panel):
    values = panel.values.reshape(2, 40).copy()
    values[1, :30] = np.nan
    result = tried(
        model,
        replace(panel, values=values.ravel()),
        refit="each",
        cutoffs=np.array([[0, 28, 36], [20, 28, 36]]),
    )
    assert [
        json.loads(line)["lengths"] for line in Path(model.log).read_text().splitlines()
    ] == [
        [28],
        [36, 36],
    ]
    assert np.isfinite(point(result)).all(axis=2).tolist() == [
        [False, True, True],
        [False, False, True],
    ]
    assert result.refit == "each" and "each of 2 cutoffs" in result.notes[-1]


def test_cutoffs_of_series_that_end_apart_are_told_from_when_to_when(model, panel):
    apart = replace(panel, starts=np.array(["2020-01", "2021-01"], "datetime64[us]"))
    assert "(2021-12-01 to 2022-12-01)" in tried(model, apart).notes[-1]


# ---------------------------------------------------------------- which models are fitted


def test_what_can_forecast_as_it_is_is_fitted_only_when_asked_for(
    model, panel, trainable
):
    first = model.fit(panel.until([24, 24]))
    Path(model.log).unlink()
    tried(first, panel)
    tried(Naive(), panel)
    assert trainable.fits(model.log) == []
    assert tried(first, panel, refit="each").refit == "each"
    assert trainable.fits(model.log) == COUNTS


@pytest.mark.parametrize("workers", [1, 2])
def test_every_fit_of_the_model_is_given_the_options_and_no_other_model_is(
    trainable, tmp_path, panel, workers
):
    tested, other = (
        trainable.Pull(log=str(tmp_path / name), name=name)
        for name in ("tested", "other")
    )
    given = {"device": "cuda", "loss": "own"}
    tried(
        tested,
        panel,
        refit="each",
        fit_options=given,
        baselines=[other],
        workers=workers,
    )
    for log, options in ((tested.log, given), (other.log, {})):
        assert [
            json.loads(line)["options"] for line in Path(log).read_text().splitlines()
        ] == [options] * 4


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_missing_of_the_others_is_done_without_the_options(
    trainable, tmp_path, panel, workers
):
    tested, other = (
        trainable.Pull(log=str(tmp_path / name), name=name)
        for name in ("tested", "other")
    )
    arguments = {
        "refit": "each",
        "fit_options": {"loss": "own"},
        "baselines": [other],
        "folder": tmp_path / "kept",
    }
    tried(tested, panel, **arguments)
    for part in (2, 3):
        shutil.rmtree(tmp_path / "kept" / f"model_1_cutoff_{part}")
    Path(other.log).unlink()
    tried(tested, panel, **arguments, workers=workers)
    assert [
        json.loads(line)["options"] for line in Path(other.log).read_text().splitlines()
    ] == [
        {},
        {},
    ]


def test_options_of_a_fit_that_is_not_done_are_refused(model, panel):
    message = (
        "fit_options, loss, device, would have no effect: nothing is fitted. "
        "Add refit='once' "
    )
    with pytest.raises(UsageError, match=message):
        tried(SeasonalNaive(), panel, fit_options={"loss": "own", "device": "cuda"})
    with pytest.raises(UsageError, match="would have no effect"):
        tried(model.fit(panel.until([24, 24])), panel, fit_options={"threads": 2})


def test_fitting_begins_from_the_configured_start(model, panel):
    fitted = model.fit(panel)
    np.testing.assert_array_equal(
        point(tried(fitted, panel, refit="once")), point(tried(model, panel))
    )


def test_a_model_that_fits_itself_is_left_alone(trainable, panel):
    """As scikit-learn's estimators do: `fit` changes the model and returns it."""

    class InPlace:
        horizon, name, mean = 4, "in place", None

        @property
        def needs_fit(self):
            return self.mean is None

        def fit(self, panel):
            self.mean = float(np.nanmean(panel.values))
            return self

        def predict(self, panel, horizon=None, *, cutoffs=None):
            pull = trainable.Pull(mean=self.mean)
            return pull.predict(panel, horizon, cutoffs=cutoffs)

    for refit in ("once", "each"):
        model = InPlace()
        np.testing.assert_array_equal(
            point(tried(model, panel, refit=refit)),
            point(tried(trainable.Pull(), panel, refit=refit)),
        )
        assert model.mean is None


def test_what_is_compared_with_is_fitted_alike(model, panel, trainable):
    other = replace(model, name="other", weight=1.0)
    fitted = replace(model.fit(panel.until([24, 24])), name="fitted")
    Path(model.log).unlink()
    result = tried(model, panel, refit="each", baselines=[other, Naive()])
    assert list(result.forecasts) == ["pull", "other", "naive"]
    assert trainable.fits(model.log) == sorted(COUNTS * 2)
    Path(model.log).unlink()
    assert tried(Naive(), panel, baselines=[other, fitted]).refit == "never"
    assert trainable.fits(model.log) == COUNTS[:1]  # only what cannot forecast without


def test_cutoffs_before_the_end_of_training_are_refused(model, panel):
    message = (
        "series 'b': the cutoff 2022-08-01 lies before 2022-10-01, the end of the training "
        "data of pull, which has seen the values to be forecast. .*refit='once' or refit='each'"
    )
    trained = model.fit(panel.until([32, 34]))
    counts = np.array([[32, 36], [32, 36]])
    for refit in (None, "never"):
        with pytest.raises(UsageError, match=message):
            tried(trained, panel, cutoffs=counts, refit=refit)
    assert tried(trained, panel, cutoffs=np.array([[32, 36], [34, 36]])).scores
    assert tried(trained, panel, cutoffs=np.array([[32, 36], [0, 36]])).scores
    with pytest.raises(UsageError, match="series 'b'"):
        tried(Naive(), panel, cutoffs=counts, baselines=[trained])


def test_series_that_it_was_not_trained_on_are_free(model, panel):
    trained = model.fit(panel.select(["b"]))
    assert tried(trained, panel, cutoffs=np.array([[8, 36], [0, 0]])).scores
    numbered = Panel.from_arrays({"a": panel.series(0)}, periods=(4,))
    with pytest.raises(UsageError, match="the cutoff 36 lies before 40, the end"):
        tried(model.fit(numbered), numbered, cutoffs=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"refit": "always"},
            "refit='always' is not known. Use 'once', 'each' or 'never'",
        ),
        ({"refit": "never"}, "uses pull as it is, but it is not fitted. Fit it first"),
        (
            {"fit_options": {"folder": "x"}},
            "'folder' in fit_options: several trainings cannot share a folder",
        ),
        ({"fit_options": {"resume": True}}, "'resume' in fit_options"),
        ({"workers": 0}, "workers must be a whole number of at least 1, got 0"),
        ({"workers": 1.5}, "at least 1, got 1.5"),
    ],
)
def test_senseless_arguments_are_refused(model, panel, arguments, message):
    with pytest.raises(UsageError, match=message):
        tried(model, panel, **arguments)


def test_what_has_no_fit_cannot_be_fitted(panel):
    with pytest.raises(
        UsageError,
        match=r"refit='each': naive has no method fit\. Leave out refit",
    ):
        tried(Naive(), panel, refit="each")


def test_a_fit_that_gives_nothing_is_said(trainable, panel):
    class Silent(trainable.Pull):
        def fit(self, panel):
            return None

    with pytest.raises(
        ModelError,
        match=r"cutoff 1 of 4 \(2021-12-01\): fit\(\) gave NoneType, but should return",
    ):
        tried(Silent(), panel)


def test_a_forecast_of_another_shape_is_said(trainable, panel):
    class Short(trainable.Pull):
        def predict(self, panel, horizon=None, *, cutoffs=None):
            return super().predict(panel, 3, cutoffs=cutoffs)

    with pytest.raises(
        ModelError, match=r"cutoff 1 of 4 .*has shape \(2, 3\); .*\(2, 4\)"
    ):
        tried(Short(), panel)


# ---------------------------------------------------------------- several processes


def test_processes_give_the_same_bits(model, panel, trainable):
    other = replace(model, name="other", weight=0.25)
    arguments = {"refit": "each", "baselines": [other, Naive()]}
    serial = tried(model, panel, **arguments)
    Path(model.log).unlink()
    apart = tried(model, panel, **arguments, workers=3)
    assert list(apart.forecasts) == list(serial.forecasts)
    for name, forecast in serial.forecasts.items():
        np.testing.assert_array_equal(forecast.point, apart.forecasts[name].point)
        np.testing.assert_array_equal(
            forecast.quantiles, apart.forecasts[name].quantiles
        )
    fits = [json.loads(line) for line in Path(model.log).read_text().splitlines()]
    assert len(fits) == 8
    assert {(fit["threads"], fit["processors"]) for fit in fits} == {("1", 1)}
    assert 1 <= len(
        {fit["pid"] for fit in fits} - {os.getpid()}
    ) <= 3 and os.getpid() not in {f["pid"] for f in fits}


def test_the_number_of_threads_here_stays(model, panel, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    tried(model, panel, refit="each", workers=2)
    assert os.environ["OMP_NUM_THREADS"] == "7" and "MKL_NUM_THREADS" not in os.environ
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("trouble", "kind", "message"),
    [
        (
            "data",
            DataError,
            r"^pull, fitting for cutoff 2 of 4 \(2022-04-01\): series 'a' is too short",
        ),
        (
            "error",
            ModelError,
            r"pull, fitting for cutoff 2 of 4 \(2022-04-01\): ZeroDivisionError: mean of nothing",
        ),
        ("extra", MissingExtraError, r"^Install lstmcast\[train\]\."),
    ],
)
def test_errors_come_with_their_cutoff(model, panel, trouble, kind, message, workers):
    with pytest.raises(kind, match=message) as caught:
        tried(
            replace(model, trouble=trouble, at=28), panel, refit="each", workers=workers
        )
    assert "Traceback" not in str(caught.value)
    if workers == 2:
        assert "in fit" in caught.value.__notes__[0]  # the traceback of the process


def test_a_process_that_is_killed_is_noticed(model, panel):
    with pytest.raises(
        ModelError,
        match=r"works on pull, cutoff 3 was killed by signal 9, without an error.*fewer workers",
    ):
        tried(replace(model, trouble="killed", at=32), panel, refit="each", workers=2)


def test_a_model_that_ends_its_process_is_noticed(model, panel):
    with pytest.raises(ModelError, match="pull, cutoff 3: SystemExit: 3"):
        tried(replace(model, trouble="exit", at=32), panel, refit="each", workers=2)


def test_a_model_that_cannot_be_sent_is_refused(trainable, panel, monkeypatch):
    local = type("Local", (trainable.Pull,), {"__module__": __name__})
    with pytest.raises(
        UsageError,
        match=r"cannot be sent to another process .*Local.*must be defined in an importable module",
    ):
        tried(local(), panel, refit="each", workers=2)
    assert tried(local(), panel, refit="each").scores
    # As in a notebook: it can be pickled here, and nobody finds its class there.
    local.__module__ = "__main__"
    monkeypatch.setattr(sys.modules["__main__"], "Local", local, raising=False)
    with pytest.raises(
        UsageError,
        match=r"cannot be sent to another process .*Local.*must be defined in an importable module",
    ):
        tried(local(), panel, refit="each", workers=2)


def test_models_that_are_not_fitted_need_not_be_sent(model, panel):
    class Other(Naive):
        pass

    result = tried(model, panel, refit="each", workers=2, baselines=[Other()])
    assert list(result.forecasts) == ["pull", "naive"]


def test_processes_end_when_the_results_are_no_longer_wanted(trainable):
    results = spread(partial(_later, time.sleep), [0.0, 600.0], processes=2)
    assert next(results)[0] == 0.0
    began = time.monotonic()
    results.close()
    assert time.monotonic() - began < 60


def _later(sleep, seconds):
    sleep(seconds)


SCRIPT = """
import signal, sys
# programs that a shell starts in the background without job control ignore Ctrl-C
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {tests!r})
import numpy as np
from lstmcast import Panel, backtest
from trainable import Pull

values = np.load({values!r})
columns = {{"a": values[0], "b": values[1]}}
panel = Panel.from_arrays(columns, frequency="MS", start="2020-01", periods=(4,))
model = Pull(log={log!r}, trouble={trouble!r}, at=32)
{guard}backtest(model, panel, cutoffs=4, horizon=4, baselines=False,
    refit="each", workers={workers}, folder={folder!r})
"""


def script(
    tmp_path, panel, model, trouble, workers, guard='if __name__ == "__main__": '
) -> subprocess.Popen:
    np.save(tmp_path / "values.npy", panel.values.reshape(2, 40))
    text = SCRIPT.format(
        tests=str(TESTS),
        values=str(tmp_path / "values.npy"),
        log=model.log,
        trouble=trouble,
        workers=workers,
        folder=str(tmp_path / "kept"),
        guard=guard,
    )
    (tmp_path / "script.py").write_text(text)
    environment = os.environ | {"PYTHONPATH": str(TESTS.parent / "src")}
    return subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py")],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_script_without_a_guard_is_told(tmp_path, model, panel):
    _, said = script(tmp_path, panel, model, "", 2, guard="").communicate(timeout=120)
    last = said.strip().splitlines()[-1]
    assert "UsageError" in last and 'must be below `if __name__ == "__main__":`' in last


# ---------------------------------------------------------------- going on


def wait_until(condition, seconds=120.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def running(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def kept(folder: Path) -> list[str]:
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.is_dir() and not path.name.startswith(".")
    )


def test_a_backtest_that_failed_goes_on(tmp_path, model, panel, trainable):
    troubled = replace(model, trouble="data", at=32)
    with pytest.raises(DataError):
        tried(troubled, panel, refit="each", folder=tmp_path / "kept")
    assert kept(tmp_path / "kept") == ["model_0_cutoff_1", "model_0_cutoff_2"]
    Path(model.log).unlink()
    trainable.TROUBLES["data"], before = (lambda: None), trainable.TROUBLES["data"]
    try:
        told = []
        resumed = tried(
            troubled,
            panel,
            refit="each",
            folder=tmp_path / "kept",
            progress=told.append,
        )
    finally:
        trainable.TROUBLES["data"] = before
    assert trainable.fits(model.log) == COUNTS[2:]
    whole = tried(model, panel, refit="each")
    np.testing.assert_array_equal(point(resumed), point(whole))
    np.testing.assert_array_equal(
        resumed.forecasts["pull"].quantiles, whole.forecasts["pull"].quantiles
    )
    assert (
        resumed.forecasts["pull"].quantile_levels
        == whole.forecasts["pull"].quantile_levels
    )
    assert [(p.done, p.total, p.kept) for p in told] == [
        (1, 4, True),
        (2, 4, True),
        (3, 4, False),
        (4, 4, False),
    ]
    assert str(told[2].job) == "pull, cutoff 3"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"]
)
def test_a_backtest_that_was_killed_goes_on(
    tmp_path, model, panel, trainable, workers, number
):
    process = script(tmp_path, panel, model, "slow", workers)
    done = 2 if workers == 1 else 3
    wait_until(
        lambda: (tmp_path / "kept").exists() and len(kept(tmp_path / "kept")) == done
    )
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does: to all of them
    else:
        process.kill()
    _, said = process.communicate(timeout=60)
    assert number == signal.SIGKILL or said.count("Traceback") == 1
    wait_until(lambda: not running(process.pid))
    assert 32 not in trainable.fits(model.log)
    Path(model.log).unlink()
    # The same model, which is not slow any more
    trainable.TROUBLES["slow"], before = (lambda: None), trainable.TROUBLES["slow"]
    try:
        resumed = tried(
            replace(model, trouble="slow", at=32),
            panel,
            refit="each",
            folder=tmp_path / "kept",
        )
    finally:
        trainable.TROUBLES["slow"] = before
    assert trainable.fits(model.log) == (COUNTS[done:] if workers == 1 else [32])
    np.testing.assert_array_equal(
        point(resumed), point(tried(model, panel, refit="each"))
    )


@pytest.mark.parametrize("refit", ["each", "once"])
def test_a_fit_that_stops_early_by_ctrl_c_is_not_kept(
    tmp_path, model, panel, refit, ctrl_c
):
    at = {"each": 28, "once": 24}[refit]
    with pytest.raises(KeyboardInterrupt):
        tried(
            replace(model, trouble="interrupt", at=at),
            panel,
            refit=refit,
            folder=tmp_path / "kept",
        )
    assert kept(tmp_path / "kept") == (["model_0_cutoff_1"] if refit == "each" else [])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_finished_is_done_no_more(tmp_path, model, panel, trainable):
    for refit in ("once", "each"):
        folder = tmp_path / refit
        first = tried(
            model, panel, refit=refit, folder=folder, baselines=[SeasonalNaive()]
        )
        Path(model.log).unlink()
        again = tried(
            model, panel, refit=refit, folder=folder, baselines=[SeasonalNaive()]
        )
        assert trainable.fits(model.log) == []
        np.testing.assert_equal(again.scores, first.scores)
        assert again.notes == first.notes
        np.testing.assert_array_equal(point(again), point(first))
        assert (
            again.forecasts["pull"].columns_dict().keys()
            == first.forecasts["pull"].columns_dict().keys()
        )


def test_a_backtest_may_go_on_with_other_hardware(tmp_path, model, panel, trainable):
    for options in ({}, {"device": "cuda", "threads": 3}):
        tried(model, panel, refit="each", folder=tmp_path / "kept", fit_options=options)
    assert len(trainable.fits(model.log)) == 4


def test_forecasts_of_models_that_are_not_fitted_are_kept_too(
    tmp_path, panel, monkeypatch
):
    first = tried(SeasonalNaive(), panel, folder=tmp_path / "kept")
    monkeypatch.setattr(SeasonalNaive, "predict", None)
    again = tried(SeasonalNaive(), panel, folder=tmp_path / "kept")
    np.testing.assert_array_equal(point(again), point(first))


def test_the_folder_of_another_backtest_is_refused(tmp_path, model, panel):
    tried(model, panel, refit="each", folder=tmp_path / "kept")
    values = panel.values.copy()
    values[3] += 1
    others = {
        r"data\.values: other values now\.\nName another folder": (
            model,
            replace(panel, values=values),
            {},
        ),
        r"data\.ids: other values now": (
            model,
            replace(panel, ids=np.array(["a", "c"], object)),
            {},
        ),
        r"data\.starts": (
            model,
            replace(panel, starts=panel.starts + np.timedelta64(31, "D")),
            {},
        ),
        "horizon: 4 there, 2 now": (model, panel, {"horizon": 2}),
        r"cutoffs: shape \(2, 4\) there, shape \(2, 3\) now\.": (
            model,
            panel,
            {"cutoffs": 3},
        ),
        r"models\.pull\.weight: 0\.5 there, 0\.7 now": (
            replace(model, weight=0.7),
            panel,
            {},
        ),
        r"refit\.naive: nothing there, never now; models\.naive": (
            model,
            panel,
            {"baselines": [Naive()]},
        ),
        r"refit\.pull: each there, once now": (model, panel, {"refit": "once"}),
        r"fit_options\.loss: nothing there, own now": (
            model,
            panel,
            {"fit_options": {"loss": "own", "threads": 2}},
        ),
    }
    for message, (one, data, arguments) in others.items():
        with pytest.raises(
            ModelError, match=f"kept' holds another backtest. {message}"
        ):
            tried(
                one, data, **{"refit": "each", "folder": tmp_path / "kept"} | arguments
            )


def test_folders_that_hold_something_else_are_left_alone(tmp_path, model, panel):
    store.save(tmp_path / "model", {"kind": "forecaster"}, {})
    with pytest.raises(
        ModelError,
        match=r"holds a forecaster, not a backtest, and is left unchanged. Name a new folder",
    ):
        tried(model, panel, folder=tmp_path / "model")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    with pytest.raises(OutputError, match="a folder with other contents"):
        tried(model, panel, folder=tmp_path / "notes")
    assert os.listdir(tmp_path / "notes") == ["a.txt"]


def test_a_damaged_part_is_named(tmp_path, model, panel, trainable):
    tried(model, panel, refit="each", folder=tmp_path / "kept")
    (tmp_path / "kept" / "model_0_cutoff_2" / "forecast.safetensors").write_bytes(b"")
    with pytest.raises(
        ModelError, match=r"model_0_cutoff_2.* is damaged(.|\n)*Or remove that folder"
    ):
        tried(model, panel, refit="each", folder=tmp_path / "kept")


def test_progress_is_told_of_every_model(model, panel):
    told = []
    tried(model, panel, baselines=[Naive()], progress=told.append)
    # quick ones first
    assert [str(p.job) for p in told] == [
        "naive, cutoffs 1 to 4",
        "pull, cutoffs 1 to 4",
    ]
    assert [(p.done, p.total, p.kept) for p in told] == [(1, 2, False), (2, 2, False)]


# ---------------------------------------------------------------- facts


class Remembering:
    def __init__(self, weights: Any):
        self.weights = weights

    @cached_property
    def total(self):
        return self.weights.sum()


class Told(Remembering):
    def described(self):
        return {"size": len(self.weights)}


def test_facts_are_what_an_object_consists_of():
    one, same, other = (
        Remembering(np.ones(3)),
        Remembering(np.ones(3)),
        Remembering(np.arange(3.0)),
    )
    assert one.total == 3
    assert (
        facts(one)
        == facts(same)
        == facts(pickle.loads(pickle.dumps(same)))
        != facts(other)
    )
    assert (
        facts(Told(np.ones(3))) == facts(Told(np.zeros(3))) != facts(Told(np.ones(2)))
    )
    assert (
        facts(partial(round, 1)) != facts(partial(round, 2)) != facts(partial(abs, 2))
    )
    assert facts({"b": {2, 1}, "a": (np.float64(1), None, map, Path("x"))}) == {
        "a.length": "4",
        "a.0": "1.0",
        "a.1": "None",
        "a.2": "builtins.map",
        "a.3": "x",
        "b.members": "['1', '2']",
    }


def test_facts_of_what_holds_itself_come_to_an_end():
    one = Remembering(np.ones(1))
    one.weights = [one]
    assert "itself" in facts(one).values()
    assert "0x" not in str(facts({"o": object(), "m": one.__init__}))


def test_facts_of_the_shipped_forecaster_stay(panel):
    import lstmcast as lc

    one, other = lc.LSTMForecaster(horizon=4), lc.LSTMForecaster(horizon=4)
    before = facts(one)
    one.predict(panel)
    assert (
        facts(one)
        == before
        == facts(other)
        != facts(lc.LSTMForecaster(horizon=4, quantiles=(0.1, 0.9)))
    )
