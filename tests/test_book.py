"""The workbook that a command writes: its sheets, dates as dates, a native chart."""

from __future__ import annotations

import datetime
import warnings

import numpy as np
import openpyxl
import pytest

import lstmcast as lc
from lstmcast.output.book import Book
from lstmcast.util.language import words_of


def panel_of(series: int, values: int = 48) -> lc.Panel:
    rng = np.random.default_rng(0)
    named = {
        f"shop {k}": 50 + np.arange(values) % 12 + rng.normal(size=values)
        for k in range(series)
    }
    return lc.Panel.from_arrays(named, frequency="MS", start="2020-01")


def book_of(series: int, tmp_path, language: str = "en", **parts):
    panel = panel_of(series)
    forecast = lc.Naive(3).predict(panel)
    path = Book(forecast, panel, words=words_of(language), **parts).write(
        tmp_path / "b.xlsx"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return openpyxl.load_workbook(path), forecast


def rows_of(sheet) -> list[tuple]:
    return list(sheet.iter_rows(values_only=True))


def test_one_series_has_its_bounds_beside_it(tmp_path):
    book, forecast = book_of(1, tmp_path)
    assert book.sheetnames == ["Forecast", "History", "Data notes"]
    header, first, *_ = rows_of(book["Forecast"])
    assert header == (
        *("ds", "forecast", "80% interval, from", "80% interval, to"),
        *("95% interval, from", "95% interval, to"),
    )
    assert first[0] == datetime.datetime(2024, 1, 1) and book["Forecast"]["A2"].is_date
    assert first[1] == pytest.approx(forecast.point[0, 0])
    (chart,) = book["Forecast"]._charts
    assert len(chart.series) == 6  # history, forecast, four bounds
    drawn = [series.val or series.yVal for series in chart.series]
    assert drawn[0].numRef.f == "History!$B$14:$B$49"  # the newest 36 values
    assert drawn[1].numRef.f == "Forecast!$B$2:$B$4"


def test_few_series_have_a_column_each(tmp_path):
    book, forecast = book_of(3, tmp_path)
    assert book.sheetnames == ["Forecast", "Intervals", "History", "Data notes"]
    assert rows_of(book["Forecast"])[0] == ("ds", "shop 0", "shop 1", "shop 2")
    # spreadsheets mark numbers that are stored as texts
    assert ("Series", 3) in [row[:2] for row in rows_of(book["Data notes"])]
    assert len(rows_of(book["Forecast"])) == 4 and len(rows_of(book["History"])) == 49
    assert rows_of(book["Intervals"])[0] == tuple(forecast.columns_dict())
    assert len(book["Forecast"]._charts[0].series) == 6


def test_many_series_stay_in_the_long_table(tmp_path):
    book, forecast = book_of(25, tmp_path)
    assert book.sheetnames == ["Forecast", "History", "Data notes"]
    assert rows_of(book["Forecast"])[0] == tuple(forecast.columns_dict())
    assert len(rows_of(book["History"])) == 25 * 48 + 1


def test_accuracy_and_totals_have_sheets(tmp_path):
    panel = panel_of(2)
    forecast = lc.Naive(3).predict(panel)
    tested = lc.backtest(lc.Naive(3), panel, cutoffs=2)
    book, _ = book_of(2, tmp_path, backtest=tested, totals=forecast.total("quarter"))
    lines = rows_of(book["Accuracy"])
    assert lines[0][0].startswith("Accuracy on held-out data: ")
    naive = next(line for line in lines if line[0] == "naive")
    assert naive[1] == pytest.approx(tested.scores["naive"]["mae"], rel=1e-3)
    shares = list(next(iter(book["Accuracy"].iter_rows(min_row=4, max_row=4))))
    assert "0%" in {cell.number_format for cell in shares}
    header, *_ = rows_of(book["Totals"])
    assert header[:5] == ("unique_id", "quarter", "steps", "complete", "total")
    assert header[5:7] == ("80% interval, from", "80% interval, to")
    assert ("Frequency", "monthly (month starts)") in [
        row[:2] for row in rows_of(book["Data notes"])
    ]


def test_series_called_like_other_columns_and_sheets_in_japanese(tmp_path):
    panel = lc.Panel.from_arrays({"ds": np.arange(30.0), "[a]": np.arange(30.0)})
    forecast = lc.Naive(2).predict(panel)
    path = Book(forecast, panel, words=words_of("ja")).write(tmp_path / "b.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["予測", "予測区間", "履歴", "データの注記"]
    assert rows_of(book["予測"])[0] == ("ds", "ds_", "[a]")


def test_series_that_end_at_other_times_share_an_axis(tmp_path):
    panel = lc.Panel.from_arrays(
        {"a": np.arange(30.0), "b": np.arange(28.0)}, frequency="D", start="2024-01-01"
    )
    path = Book(lc.Naive(3).predict(panel), panel).write(tmp_path / "b.xlsx")
    rows = rows_of(openpyxl.load_workbook(path)["Forecast"])
    assert len(rows) == 6 and rows[1][1] is None and rows[1][2] == 27.0


def test_totals_of_one_series_have_names_for_people(tmp_path):
    totals = lc.Naive(3).predict(panel_of(1)).total("month", service_level=95)
    book, _ = book_of(1, tmp_path, totals=totals)
    header, first, *_ = rows_of(book["Totals"])
    assert header[:4] == ("month", "steps", "complete", "total")
    assert header[-1] == "enough for 95%"
    cells = dict(zip(header, first, strict=True))
    place = totals.quantile_levels.index(0.9)
    assert cells["80% interval, to"] == pytest.approx(totals.quantiles[0, place])


def test_whether_a_period_is_complete_is_true_or_false_in_excel(tmp_path):
    forecast = lc.Naive(3).predict(panel_of(2))
    book, _ = book_of(2, tmp_path, totals=forecast.total("quarter"))
    header, *rows = rows_of(book["Totals"])
    complete = [row[header.index("complete")] for row in rows]
    assert all(cell is True or cell is False for cell in complete)


def test_the_history_has_the_days_that_occur_and_the_columns_of_the_data(tmp_path):
    days = np.arange("2024-01-01", "2024-04-01", dtype="datetime64[D]")
    days = days[(days.astype(int) + 3) % 7 != 6]
    shops = [f"shop {k:02}" for k in range(21)]
    table = {"day": np.tile(days, 21), "shop": np.repeat(shops, len(days))}
    table["sold"] = 20.0 + np.arange(len(table["day"])) % 6
    for some, columns in (
        (shops, ("shop", "ds", "sold")),
        (shops[:1], ("day", "sold")),
    ):
        is_one = np.isin(table["shop"], some)
        panel = lc.read(
            {name: cells[is_one] for name, cells in table.items()}, target="sold"
        )
        path = Book(lc.Naive(3).predict(panel), panel).write(tmp_path / "b.xlsx")
        book = openpyxl.load_workbook(path)
        header, *rows = rows_of(book["History"])
        assert header == columns and len(rows) == is_one.sum()
        assert ("Values", is_one.sum()) in rows_of(book["Data notes"])
