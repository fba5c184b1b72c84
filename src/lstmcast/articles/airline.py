"""Article 1: monthly airline passengers. Differences, min–max scaling, a 5-4-3 LSTM, the whole
sequence in one pass.

The article, of 2017, does this by hand in Chainer 1.24. Followed to the letter it is one network
here, with the same network without any preprocessing beside it. By default there are several
forecasters of the same months, none of which has seen the part that is forecast: small networks
that differ in their transforms only, and the network that this package ships.

    X passengers (144) · D differences (143) · pairs D(i) → D(i+1): 99 of training, 43 held back
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import lstmcast as lc
from lstmcast.articles import airline_pictures as pictures
from lstmcast.articles.airline_pictures import JAPANESE as JAPANESE
from lstmcast.articles.measures import Measure, rmse, training_seconds
from lstmcast.articles.runs import ExampleRun
from lstmcast.data.examples import airline
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.model.summary import summary
from lstmcast.training.callbacks import SaveEvery
from lstmcast.training_config import (
    Ema,
    Loss,
    Optimiser,
    Schedule,
    TrainingConfig,
    Validation,
    WholeSequence,
    Windows,
)
from lstmcast.transforms import Chain, Difference, Log1p, MinMax, Standard

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel

SHARE = 0.3  # of the pairs that is held back
MOST_UPDATES = 20  # in an epoch of our own networks, of a reader's long series
TITLE = "International airline passengers: monthly totals in thousands. Jan 49 ? Dec 60"

INPUTS = Transformed(Chain((Difference(), MinMax()), apart=True))
NETWORK = NetworkConfig(layers=(5, 4, 3), inputs=INPUTS, head="point", horizon=1)
TRAINING = TrainingConfig(
    epochs=1000,
    batch_size=1,
    batching=WholeSequence(),
    optimiser=Optimiser("rmsprop", learning_rate=1e-2, decay=0.99, epsilon=1e-8),  # Chainer's
    loss=Loss("mse"),
    validation=Validation(steps=43, fresh=True),
    initialiser="chainer1",
)
ARTICLE = "5-4-3 network of the article"
PLAIN = "5-4-3 network without preprocessing"

OWN_TRAINING = TrainingConfig(
    epochs=120,
    batch_size=16,
    batching=Windows(12, loss="every"),
    optimiser=Optimiser("adam", learning_rate=5e-3, clip=1.0, schedule=Schedule("cosine")),
    validation=None,
    average=Ema(0.98),
)
SHIPPED, TUNED = "shipped network", "shipped network, fine-tuned"


class Choice(NamedTuple):
    """A small network of our own: its inputs, its units, the steps of a window, and epochs."""

    inputs: Transformed
    units: int
    window: int
    epochs: int

    def forecaster(self, seed: int, values: int) -> lc.LSTMForecaster:
        """It, untrained, for a series of so many values."""
        most = MOST_UPDATES if values > 16 * MOST_UPDATES else None
        return lc.LSTMForecaster(
            1,
            weights="scratch",
            network=NetworkConfig((self.units,), inputs=self.inputs, head="point", horizon=1),
            training=replace(
                OWN_TRAINING,
                epochs=self.epochs,
                steps_per_epoch=most,
                batching=Windows(self.window, loss="every"),
            ),
            seed=seed,
        )


def held_back(values: int) -> int:
    """How many pairs at the end validate: 30% of them, rounded up as scikit-learn does.

    >>> held_back(144)
    43
    """
    return math.ceil(SHARE * (values - 2))


HELD_BACK = held_back(144)


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a forecaster says: each value from those before it, and the values held back from the
    end of training, on from the last observed one."""

    name: str
    observed: NDArray  # as long as the series, NaN where nothing is predicted
    free: NDArray  # as many as are held back
    seconds: float
    of_differences: bool = False  # whether the network reads differences of the values

    def from_own(self, values: NDArray) -> NDArray:
        """The values held back, on from the *predicted* end of the training part, as the article
        has it: X̂(101) = D̂(100) + X̂(100). NaN unless the network reads differences.

        Its answers are the same as on from the observed end; only the level differs.
        """
        if not self.of_differences:
            return np.full(len(self.free), np.nan)
        last = len(values) - len(self.free) - 1
        return self.free + self.observed[last] - values[last]

    def errors(self, values: NDArray) -> tuple[float, float, float, float]:
        """RMSE: with observations in the training part and after it, and fed back from the observed
        and from the predicted end of the training part."""
        back = slice(-len(self.free), None)
        train = slice(None, -len(self.free))
        observed = [rmse(self.observed[part], values[part]) for part in (train, back)]
        own = self.from_own(values)
        from_own = rmse(own, values[back]) if self.of_differences else math.nan
        return observed[0], observed[1], rmse(self.free, values[back]), from_own


def run(to: ExampleRun, faithful: bool, seed: int) -> list[Measure]:
    """Read the file, train, predict in both ways, and say how far off the predictions are."""
    panel = to.panel(partial(_read, to))
    for finding in panel.check():
        to.say(str(finding))
    pictures.draw_series(to, panel, held_back(len(panel.values)))
    if faithful:
        return _faithful(to, panel, seed)
    return _default(to, panel, seed)


def _read(to: ExampleRun) -> Panel:
    """The file as it was downloaded in 2017, three lines at its end that are no data included."""
    months = airline().times(0).astype("datetime64[M]")
    rows = [f'"{month}",{value:.0f}' for month, value in zip(months, airline().values, strict=True)]
    path = to.folder / "airline.csv"
    path.write_text(
        "\r\n".join([f'"Month","{TITLE}"', *rows, "", TITLE, "", ""]), encoding="utf-8", newline=""
    )
    return lc.read(path)


# ---------------------------------------------------------------- as in the article


def _faithful(to: ExampleRun, panel: Panel, seed: int) -> list[Measure]:
    """The article's network, and the same one that reads the values as they are."""
    to.say(f"{summary(NETWORK)}")
    snapshots = SaveEvery(to.saved_networks("snapshots"), 1, "model_epoch-{epoch}")
    forecaster = article_forecaster(panel, INPUTS, seed)
    fitted = to.fit(forecaster, panel, "article", [snapshots], printed=True)
    to.say(str(fitted.history))
    to.model(fitted)
    plain = to.fit(article_forecaster(panel, Transformed(), seed), panel, "plain")
    predicted = [
        replace(
            _predicted(name, model, panel, training_seconds(model.history)),
            of_differences=model is fitted,
        )
        for name, model in ((ARTICLE, fitted), (PLAIN, plain))
    ]
    errors = _tables(to, panel, predicted)
    pictures.draw_learning(to, fitted.history)
    pictures.draw_article(to, panel, predicted[0])
    pictures.draw_plain(to, panel, predicted)
    H, seconds = _held_back_words(to, panel), [each.seconds for each in predicted]
    return [
        Measure(f"RMSE of {H} fed back, {ARTICLE}", errors[0, 3], seconds[0]),
        Measure(f"RMSE of {H} with observations, {ARTICLE}", errors[0, 1], seconds[0]),
        Measure(
            f"RMSE of {H} fed back from the last observed value, {ARTICLE}",
            errors[0, 2],
            seconds[0],
        ),
        Measure(f"RMSE of {H} fed back, {PLAIN}", errors[1, 2], seconds[1]),
        Measure(f"RMSE of {H} with observations, {PLAIN}", errors[1, 1], seconds[1]),
    ]


def article_forecaster(panel: Panel, inputs: Transformed, seed: int) -> lc.LSTMForecaster:
    """The article's network and training, for these inputs."""
    validation = Validation(steps=held_back(len(panel.values)), fresh=True)
    return lc.LSTMForecaster(
        1,
        weights="scratch",
        network=replace(NETWORK, inputs=inputs),
        training=replace(TRAINING, validation=validation),
        seed=seed,
    )


# ---------------------------------------------------------------- by default


def own_choices(panel: Panel) -> dict[str, Choice]:
    """The transforms that are compared, as far as the values and their season allow.

    For the airline, units, windows and epochs were chosen within the training part: by the errors
    of forecasts from its first 60, 72 and 84 months, one step ahead and fed back.
    """
    choices = {"differences": Choice(Transformed(Difference(), Standard()), 16, 12, 120)}
    if np.nanmin(panel.values) > 0:
        inputs = Transformed(Log1p(), Difference(), Standard())
        choices["logarithms, differences"] = Choice(inputs, 16, 24, 120)
        season = panel.periods[0] if panel.periods else 0
        if 0 < 3 * season < len(panel.values) // 2:
            inputs = Transformed(Log1p(), Difference(season), Standard())
            choices["logarithms, yearly differences"] = Choice(inputs, 8, 12, 60)
    return choices


def _default(to: ExampleRun, panel: Panel, seed: int) -> list[Measure]:
    """Networks that know the training part only, and the shipped one, which has learned from no
    part of the series: as it is, and fine-tuned on the training part."""
    known = panel.until(panel.lengths - held_back(len(panel.values)))
    predicted, histories = [], []
    for name, choice in own_choices(panel).items():
        fitted = to.fit(
            choice.forecaster(seed, len(known.values)),
            known,
            name.replace(", ", "-").replace(" ", "-"),
        )
        predicted.append(_predicted(name, fitted, panel, training_seconds(fitted.history)))
        histories.append(fitted.history)
    shipped = lc.LSTMForecaster(12, seed=seed)
    predicted.append(_predicted(SHIPPED, shipped, panel, 0.0))
    tuned = to.fit(shipped, known, "fine-tuned")
    predicted.append(_predicted(TUNED, tuned, panel, training_seconds(tuned.history)))
    to.model(tuned, panel)
    errors = _tables(to, panel, predicted)
    pictures.draw_learning(to, histories[-1])
    pictures.draw_predictions(to, panel, predicted)
    H = _held_back_words(to, panel)
    return [
        Measure(f"RMSE of {H} {how}, {each.name}", row[k], each.seconds)
        for each, row in reversed(list(zip(predicted, errors, strict=True)))
        for how, k in (("fed back", 2), ("with observations", 1))
    ]


# ---------------------------------------------------------------- both


def _predicted(name: str, forecaster: Any, panel: Panel, trained: float) -> Predicted:
    began, back = time.perf_counter(), held_back(len(panel.values))
    in_sample = forecaster.predict(panel, mode="one-step").point[:, 0]
    observed = np.r_[np.full(len(panel.values) - len(in_sample), np.nan), in_sample]
    cutoffs = (panel.lengths - back)[:, None]
    free = forecaster.predict(panel, back, cutoffs=cutoffs, mode="recursive").point[0]
    return Predicted(name, observed, free, trained + time.perf_counter() - began)


def swing(free: NDArray, panel: Panel) -> float:
    """From the lowest to the highest value of the last season, fed back, over that of the truth."""
    season = slice(-min(panel.periods[0] if panel.periods else len(free), len(free)), None)
    return float(np.ptp(free[season]) / np.ptp(panel.values[season]))


def _held_back_words(to: ExampleRun, panel: Panel) -> str:
    return f"{held_back(len(panel.values))} {'months' if to.own is None else 'steps'}"


def _tables(to: ExampleRun, panel: Panel, predicted: list[Predicted]) -> NDArray:
    """The predictions of every step, and the errors of every forecaster, which are given back."""
    name = "passengers" if to.own is None else str(panel.ids[0])
    columns: dict[str, Any] = {"time": panel.times(0), name: panel.values}
    for each in predicted:
        before = np.full(len(panel.values) - len(each.free), np.nan)
        columns[f"with observations, {each.name}"] = each.observed
        columns[f"fed back, {each.name}"] = np.r_[before, each.free]
        if each.of_differences:
            columns[f"fed back from its own last value, {each.name}"] = np.r_[
                before, each.from_own(panel.values)
            ]
    to.table("predictions", columns)
    errors = np.array([each.errors(panel.values) for each in predicted])
    names = (
        "with observations, training part",
        "with observations, held back",
        "fed back from the last observed value",
        "fed back from the last predicted value",
    )
    to.table(
        "errors",
        {
            "forecaster": [each.name for each in predicted],
            **{f"RMSE {name}": errors[:, k] for k, name in enumerate(names)},
            "swing of the last year, share of the true one": np.array(
                [swing(each.free, panel) for each in predicted]
            ),
            "seconds": np.array([each.seconds for each in predicted]),
        },
    )
    return errors
