"""Read, forecast, measure: what a type checker knows of it."""

from pathlib import Path
from typing import Any, assert_type

import numpy as np

import lstmcast as lc
from lstmcast.evaluation.metrics import rmse

panel = lc.read("sales.csv", time="month", target="sales")
assert_type(panel, lc.Panel)
assert_type(len(panel), int)
assert_type(panel.frequency.seasonal_periods, tuple[int, ...])
assert_type(panel.select(["a"]), lc.Panel)

model = lc.LSTMForecaster(horizon=12, quantiles=(0.1, 0.5, 0.9), seed=1)
assert_type(model.horizon, int)
assert_type(model.needs_fit, bool)

forecast = model.predict(panel, mode="recursive")
assert_type(forecast, lc.Forecast)
assert_type(forecast.horizon, int)
assert_type(forecast.quantile_levels, tuple[float, ...])
assert_type(forecast.write("forecast.csv"), Path)
assert_type(forecast.to_json(), str)
assert_type(forecast.interval(80).lower, np.ndarray)

tested = lc.backtest(model, panel, cutoffs=3, refit="never")
assert_type(tested, lc.Backtest)
assert_type(tested.summary().verdict, str)
assert_type(tested.held_out(), dict[str, np.ndarray])
assert_type(rmse(forecast.point, forecast.point), float | Any)

model.predict(panel, mode="sideways")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
lc.backtest(model, panel, refit="often")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
lc.LSTMForecaster("12")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
lc.Forcast()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
