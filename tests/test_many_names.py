"""Names of many series are not looked at one by one where a few of them say the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc
from lstmcast.data import sheet as sheets
from lstmcast.data.cells import yearless
from lstmcast.data.sheet import Column
from lstmcast.data.times import calendars
from lstmcast.data.times.calendars import DAY, micros_of, month_of, month_start

NAMES = [f"series_{number:05d}" for number in range(10_000)]


@pytest.fixture
def looked_at(monkeypatch):
    """The texts that were looked for times."""
    texts: list[str] = []
    parse_times = sheets.parse_times

    def noted(given, **options):
        texts.extend(given)
        return parse_times(given, **options)

    monkeypatch.setattr(sheets, "parse_times", noted)
    return texts


def test_a_sample_of_names_says_that_they_are_no_times(looked_at):
    assert Column.of_texts("id", NAMES).times is None
    assert len(looked_at) < len(NAMES) / 2


def test_all_texts_of_a_column_of_times_are_read():
    days = np.datetime64("2000-01-01") + np.arange(len(NAMES))
    times = Column.of_texts("day", days.astype(str).tolist()).times
    assert times is not None
    np.testing.assert_array_equal(times.values.astype(days.dtype), days)


def test_names_beside_times_are_not_looked_at_for_years(monkeypatch):
    asked: list[str] = []
    is_part = yearless._is_part_of_year
    monkeypatch.setattr(
        yearless, "_is_part_of_year", lambda text: asked.append(text) or is_part(text)
    )
    months = pd.date_range("2020-01-01", periods=4, freq="MS")
    frame = pd.DataFrame({"id": np.repeat(NAMES, 4), "ds": np.tile(months, len(NAMES))})
    panel = lc.read(frame.assign(y=np.arange(len(frame)) % 7 + 1.0))
    assert len(panel) == len(NAMES)
    assert len(asked) < len(NAMES) / 2


@pytest.mark.parametrize("others", [0, 20, 21, 30])
def test_a_fifth_of_the_labels_may_be_no_part_of_a_year(others):
    labels = [f"week {number}" for number in range(100 - others)]
    notes = [f"note {number}" for number in range(others)]
    column = Column.of_texts("label", notes + labels)
    assert yearless.is_yearless(column) == (others <= 20)


def test_days_of_many_series_are_looked_up_once(monkeypatch):
    asked: list[int] = []
    month_of_days = calendars._month_of_days
    monkeypatch.setattr(
        calendars,
        "_month_of_days",
        lambda days: asked.append(len(days)) or month_of_days(days),
    )
    days = micros_of("2019-12-31") + DAY * np.tile(np.arange(3), 100)
    np.testing.assert_array_equal(month_of(days), np.tile([599, 600, 600], 100))
    assert asked == [3]


def test_months_of_any_array():
    far = micros_of(["1700-01-31", "2024-02-29", "2999-12-31"])
    np.testing.assert_array_equal(month_of(far), [-3240, 649, 12359])
    np.testing.assert_array_equal(month_of(month_start(month_of(far))), month_of(far))
    assert month_of(far[:0]).shape == (0,)
    assert month_of(far[1]) == 649
