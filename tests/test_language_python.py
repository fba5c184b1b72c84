"""What Python calls refuse has its Japanese, as commands and pages may show it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.times.frequency import parse_frequency
from lstmcast.errors import LstmcastError
from lstmcast.interop.keras import from_keras
from lstmcast.interop.pytorch import from_pytorch
from lstmcast.streaming.clocks import Clocks
from lstmcast.streaming.pipe import Pipe
from lstmcast.transforms import Difference, MinMax
from lstmcast.util.language import words_of

JAPANESE = words_of("ja")
LETTERS = re.compile("[ぁ-ヿ一-鿿]")
# names, code and numbers stay as they are
VERBATIM = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\w*\([^()]*\)|\w+=\S*|\w+\.\w+")
ENGLISH_WORDS = re.compile(r"(?<![\w.])[a-z]{2,} [a-z]{2,} [a-z]{2,}")
VALUES = 10 + np.arange(48.0) % 12
AHEAD = lc.LSTMForecaster(horizon=3)


def panel(values: Any = VALUES, **words: Any) -> lc.Panel:
    return lc.Panel.from_arrays(values, **words)


REFUSED: dict[str, Callable[[], object]] = {
    "no series": lambda: panel({}),
    "names alike": lambda: panel({1: VALUES, "1": VALUES}),
    "no start": lambda: panel(frequency="D"),
    "a start that is none": lambda: panel(frequency="D", start="soon"),
    "complex values": lambda: panel(VALUES + 1j),
    "an empty dict": lambda: lc.read({}),
    "columns of two lengths": lambda: lc.read({"ds": ["2024-01-01"], "y": [1, 2]}),
    "data of another type": lambda: lc.read(5),
    "an unknown argument": lambda: AHEAD.predict(VALUES, tme="t"),
    "past of the wrong shape": lambda: panel(past={"wind": VALUES[:5]}),
    "past without names": lambda: panel(past=5),
    "an unknown series": lambda: panel({"a": VALUES}).select(["b"]),
    "a level": lambda: AHEAD.predict(VALUES, level=0.8),
    "a mode": lambda: AHEAD.predict(VALUES, mode="free-run"),
    "a quantile": lambda: AHEAD.predict(VALUES).quantile(0.77),
    "an interval": lambda: AHEAD.predict(VALUES).interval(77),
    "no data": lambda: AHEAD.predict(),
    "quantile levels": lambda: lc.LSTMForecaster(3, quantiles=[2]),
    "weights": lambda: lc.LSTMForecaster(3, weights=5),
    "a kind of setting": lambda: lc.LSTMForecaster(3, training=5),
    "a refit": lambda: lc.backtest(AHEAD, VALUES, refit="twice"),
    "a class": lambda: lc.backtest(lc.LSTMForecaster, VALUES),
    "a baseline": lambda: lc.backtest(AHEAD, VALUES, baselines=["best"]),
    "a period": lambda: lc.SeasonalNaive(3, period=0).predict(VALUES),
    "no layers": lambda: lc.NetworkConfig(()),
    "a head": lambda: lc.summary(lc.NetworkConfig((4,), head="quantile", horizon=1)),
    "inputs": lambda: lc.NetworkConfig((4,), inputs=5),
    "an activation": lambda: lc.NetworkConfig(
        (4,), inputs=lc.Transformed(), activation="tanh"
    ),
    "widths": lambda: lc.NetworkConfig((4, 8), inputs=lc.Transformed(), residual=True),
    "steps of an epoch": lambda: lc.TrainingConfig(
        batching=lc.WholeSequence(), steps_per_epoch=3
    ),
    "patience": lambda: lc.TrainingConfig(patience=3, validation=None),
    "a share": lambda: lc.Validation(share=0.3, steps=3),
    "a stride": lambda: lc.Stateful(chunk=4, stride=8),
    "transforms of one series": lambda: lc.Transformed(5),
    "a scaling": lambda: MinMax(3, 1),
    "a lag": lambda: Difference(0),
    "a stream": lambda: lc.Stream(5, ["a"]),
    "rows": lambda: lc.Stream(AHEAD, 5),
    "rows twice": lambda: lc.Stream(AHEAD, ["a", "a"]),
    "no such row": lambda: lc.Stream(AHEAD, ["a"]).observe([1.0], ["b"]),
    "values of a tick": lambda: lc.Stream(AHEAD, ["a"]).observe([1.0, 2.0]),
    "conformal": lambda: lc.Stream(AHEAD, ["a"], conformal=True),
    "coverage": lambda: lc.Stream(AHEAD, ["a"]).coverage(),
    "one series of totals": lambda: lc.with_totals(VALUES),
    "no such model": lambda: from_keras("nowhere.keras"),
    "arrays of no layer": lambda: from_keras([np.ones((3, 3, 3))]),
    "an empty state": lambda: from_pytorch({}),
    "a GRU": lambda: from_pytorch(
        {"g.weight_ih_l0": np.ones((15, 1)), "g.weight_hh_l0": np.ones((15, 5))}
    ),
}


def untranslated(text: str) -> list[str]:
    """The lines of a text that have no Japanese, or not in all sentences."""
    lines = [line for line in text.splitlines() if line.strip()]
    translated = {line: JAPANESE(line) for line in lines}
    return [
        line
        for line, said in translated.items()
        if not LETTERS.search(said) or ENGLISH_WORDS.search(VERBATIM.sub("", said))
    ]


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED.keys())
def test_what_a_call_refuses_has_its_japanese(refused):
    with pytest.raises(LstmcastError) as caught:
        refused()
    assert not untranslated(str(caught.value))


@pytest.mark.parametrize(
    "line",
    [
        '{"a": 1, "a": 2}',
        '{"date": "soon", "a": 1}',
        '{"date": "2024-01-01", "a": 1} and more',
        '{"date": [], "a": 1}',
        "2024-01-01,1,2",
    ],
)
def test_a_line_of_a_stream_that_is_refused_has_its_japanese(line):
    pipe = Pipe(lc.Stream(AHEAD, []), clocks=Clocks(parse_frequency("D")))
    (answer,) = json.loads(json.dumps(list(pipe.answers(line))))
    assert not untranslated(answer["error"])


def test_english_that_is_left_is_found():
    assert untranslated("there are no rows of anything that anybody knows.")
    assert not untranslated(f"there is no file {str(Path('a.csv'))!r}")
