"""Workbooks: what is written is what Excel should see, and what reads back."""

from __future__ import annotations

import warnings
from datetime import datetime

import numpy as np
import openpyxl
import pytest

import lstmcast as lc
from lstmcast.cli.app import main
from lstmcast.errors import OutputError
from lstmcast.evaluation.baselines import Naive
from lstmcast.writing import workbook as excel
from lstmcast.writing.workbook import require_rows, write_workbook


def sheet_of(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return openpyxl.load_workbook(path).active


def column(sheet, number: int) -> list:
    return [row[number].value for row in sheet.iter_rows(min_row=2)]


def forecast_of(frequency: str = "MS", start="2024-01", values=None) -> lc.Forecast:
    panel = lc.Panel.from_arrays(
        values or {"a": [1.25, 2.5, 3.75], "b": [5.0, 7.0, 8.5]},
        frequency=frequency,
        start=start,
    )
    return Naive().predict(panel, 3)


def test_a_forecast_reads_back_in_both_readers(tmp_path):
    forecast = forecast_of()
    path = forecast.write(tmp_path / "f.xlsx")
    sheet, columns = sheet_of(path), forecast.columns_dict()
    assert [cell.value for cell in sheet[1]] == list(columns)
    assert column(sheet, 0) == ["a"] * 3 + ["b"] * 3
    assert column(sheet, 1) == columns["ds"].astype("datetime64[us]").tolist()
    assert column(sheet, 3) == pytest.approx(columns["forecast"].tolist(), rel=1e-14)
    panel = lc.read(path, time="ds", series="unique_id", target="forecast")
    assert panel.frequency.code == "MS" and panel.ids.tolist() == ["a", "b"]
    assert panel.values.tolist() == columns["forecast"].tolist()


def test_what_a_person_meets(tmp_path):
    sheet = sheet_of(forecast_of().write(tmp_path / "f.xlsx"))
    assert (
        sheet.title == "forecast"
        and sheet.freeze_panes == "A2"
        and sheet["A1"].font.bold
    )
    assert sheet["B2"].is_date and sheet["B2"].number_format == "yyyy-mm-dd"
    assert sheet["C2"].value == 1 and isinstance(sheet["C2"].value, int)
    assert sheet["D2"].number_format == "#,##0.000"
    assert 10 < sheet.column_dimensions["B"].width < 20
    assert sheet.auto_filter.ref == f"A1:{sheet.cell(7, sheet.max_column).coordinate}"


@pytest.mark.parametrize(
    "name",
    [
        "=1+1",
        "+A1",
        "-2",
        "@SUM(A1)",
        '=HYPERLINK("http://x")',
        "http://x.y",
        "007",
        "{=1}",
    ],
)
def test_text_is_never_a_formula_a_link_or_a_number(tmp_path, name):
    path = forecast_of(values={name: [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0]}).write(
        tmp_path / "f.xlsx"
    )
    cell = sheet_of(path)["A2"]
    assert (
        cell.value == name
        and cell.data_type == "s"
        and cell.number_format == "@"
        and cell.hyperlink is None
    )
    header = sheet_of(write_workbook({name: np.arange(2.0)}, tmp_path / "h.xlsx"))["A1"]
    assert header.value == name and header.data_type == "s"


@pytest.mark.parametrize(
    "name", ["売上 ☕", "a\tb", "x\x01y", "<&>\"'", "_x0041_", " spaced "]
)
def test_other_letters_survive(tmp_path, name):
    path = write_workbook(
        {"id": np.array([name], object), "y": np.ones(1)}, tmp_path / "f.xlsx"
    )
    # as Excel does
    assert openpyxl.utils.escape.unescape(sheet_of(path)["A2"].value) == name


@pytest.mark.parametrize(
    ("frequency", "start", "shown"),
    [
        ("D", "2024-02-28", "yyyy-mm-dd"),
        ("h", "2024-02-28T21:00", "yyyy-mm-dd hh:mm"),
        ("15min", "1999-12-31T23:45", "yyyy-mm-dd hh:mm"),
        ("s", "2024-02-28T23:59:58", "yyyy-mm-dd hh:mm:ss"),
        ("YS", "1901-01-01", "yyyy-mm-dd"),
    ],
)
def test_times_keep_their_clock(tmp_path, frequency, start, shown):
    forecast = forecast_of(frequency, start)
    path = forecast.write(tmp_path / "f.xlsx")
    assert sheet_of(path)["B2"].number_format == shown
    assert column(sheet_of(path), 1) == forecast.times.ravel().tolist()
    panel = lc.read(path, time="ds", series="unique_id", target="forecast")
    assert panel.times(0).tolist() == forecast.times[0].tolist()


def test_parts_of_a_second_are_kept(tmp_path):
    times = np.datetime64("2024-05-01T12:00:00.250000") + np.arange(3) * np.timedelta64(
        250_000
    )
    sheet = sheet_of(write_workbook({"t": times}, tmp_path / "f.xlsx"))
    assert sheet["A2"].number_format == "yyyy-mm-dd hh:mm:ss.000"
    assert column(sheet, 0) == times.tolist()


@pytest.mark.parametrize("start", ["1899-12-30", "1900-02-20", "1749-01-01"])
def test_dates_that_excel_does_not_have_are_text(tmp_path, start):
    path = forecast_of("D", start).write(tmp_path / "f.xlsx")
    assert sheet_of(path)["B2"].value == str(np.datetime64(start) + 3)
    panel = lc.read(path, time="ds", series="unique_id", target="forecast")
    assert str(panel.starts[0].astype("datetime64[D]")) == str(np.datetime64(start) + 3)


def test_whole_numbers_lose_no_digits(tmp_path):
    columns = {
        "n": np.array([7, 999_999_999_999_999]),
        "big": np.array([7, 1_234_567_890_123_456_789]),
    }
    sheet = sheet_of(write_workbook(columns, tmp_path / "f.xlsx"))
    assert column(sheet, 0) == [7, 999_999_999_999_999]
    assert column(sheet, 1) == ["7", "1234567890123456789"]
    steps = forecast_of("integer", 1)
    assert column(sheet_of(steps.write(tmp_path / "i.xlsx")), 1) == [4, 5, 6, 4, 5, 6]


def test_unknown_numbers_are_empty_cells(tmp_path):
    values = np.array([1.5, np.nan, np.inf, -np.inf, 1e-300, -1e300])
    assert column(sheet_of(write_workbook({"y": values}, tmp_path / "f.xlsx")), 0)[
        :4
    ] == [
        1.5,
        None,
        None,
        None,
    ]
    tiny = sheet_of(
        write_workbook({"y": np.array([1e-12, 2e-12])}, tmp_path / "t.xlsx")
    )
    assert tiny["A2"].value == 1e-12 and tiny["A2"].number_format == "0.000E+00"


def test_too_many_rows_are_refused_before_the_work(tmp_path, monkeypatch, capsys):
    with pytest.raises(
        OutputError,
        match=r"1,048,576 rows, but an Excel sheet holds at most 1,048,575 .* Write \.csv",
    ):
        require_rows(1_048_576, "f.XLSX")
    require_rows(1_048_575, "f.xlsx")
    require_rows(10**9, "f.csv")
    with pytest.raises(OutputError, match="1,048,576 rows"):
        write_workbook({"y": np.zeros(1_048_576)}, tmp_path / "f.xlsx")
    monkeypatch.setattr(excel, "MOST_ROWS", 5)
    monkeypatch.setattr(
        "lstmcast.forecaster.LSTMForecaster.predict",
        lambda *_: pytest.fail("it went on"),
    )
    data = tmp_path / "d.csv"
    data.write_text(
        "month,y\n" + "".join(f"2024-{month:02}-01,{month}\n" for month in range(1, 10))
    )
    with pytest.raises(SystemExit) as ended:
        main(["forecast", str(data), "-H", "6", "--out", str(tmp_path / "f.xlsx")])
    assert ended.value.code == 1 and "the table has 6 rows" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["d.csv"]


def test_a_text_that_no_cell_holds_is_refused(tmp_path):
    with pytest.raises(OutputError, match="'id' has a text of 40,000 letters"):
        write_workbook({"id": np.array(["x" * 40_000], object)}, tmp_path / "f.xlsx")
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_when_it_cannot_be_written(tmp_path, monkeypatch):
    import xlsxwriter

    (tmp_path / "f.xlsx").write_text("old")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(xlsxwriter.workbook, "ZipFile", full)
    with pytest.raises(OutputError, match="the disk is full"):
        write_workbook({"y": np.zeros(3)}, tmp_path / "f.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["f.xlsx"]
    assert (tmp_path / "f.xlsx").read_text() == "old"
    with pytest.raises(OutputError, match="its folder does not exist"):
        forecast_of().write(tmp_path / "none" / "f.xlsx")


def test_the_commands_write_workbooks(tmp_path, capsys):
    data, model = tmp_path / "d.csv", str(tmp_path / "model")
    rows = [
        (year, month) for year in (2020, 2021, 2022, 2023) for month in range(1, 13)
    ]
    data.write_text(
        "month,sales\n"
        + "".join(f"{year}-{month:02}-01,{50 + month}\n" for year, month in rows)
    )
    commands = {
        "forecast": [
            "forecast",
            str(data),
            "-H",
            "3",
            "--cutoffs",
            "0",
            "--save",
            model,
        ],
        "predict": ["predict", "--model", model],
        "backtest": ["backtest", str(data), "-H", "3", "--cutoffs", "2"],
    }
    for name, command in commands.items():
        path = tmp_path / f"{name}.xlsx"
        with pytest.raises(SystemExit) as ended:
            main([*command, "--out", str(path)])
        assert ended.value.code == 0, capsys.readouterr().err
        sheet = sheet_of(path)
        # of others, the first sheet is for people
        time = "B2" if name == "backtest" else "A2"
        assert isinstance(sheet[time].value, datetime), name
        assert isinstance(sheet["D2"].value, (int, float, datetime)), name
    assert "actual" in [cell.value for cell in sheet[1]] and sheet.max_row == 7


def test_an_empty_table_is_a_workbook(tmp_path):
    assert sheet_of(write_workbook({}, tmp_path / "a.xlsx")).max_row == 1
    assert (
        sheet_of(write_workbook({"y": np.zeros(0)}, tmp_path / "b.xlsx"))["A1"].value
        == "y"
    )
