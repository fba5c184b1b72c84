"""Eight people use the product from end to end, each as their page of the docs tells them."""

from __future__ import annotations

import io
import json
import re
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

import lstmcast as lc
from browser import Browser

AIRLINE = Path(__file__).parents[1] / "examples" / "airline.csv"


def german_sales() -> bytes:
    """An export from a spreadsheet: a title, points for thousands, a gap, a remark, a total."""
    lines = [
        "Umsatz Filiale Nord;;",
        "Stand: 02.09.2024;;",
        "Datum;Umsatz (EUR);Bemerkung",
    ]
    for i in range(44):
        year, month = divmod(i, 12)
        value = 10_000 + 150 * i + 2500 * (month > 9)
        cell = "k.A." if i == 26 else f"{value:_d},50".replace("_", ".")
        if i != 16:  # a month without a row
            lines.append(f"01.{month + 1:02}.{2021 + year};{cell};")
    return "\r\n".join(
        [*lines, "01.08.2024;16.400,00;doppelt", "Summe;999.999,00;"]
    ).encode("cp1252")


def test_an_analyst_with_a_messy_file(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("umsatz.csv").write_bytes(german_sales())
    told = run("forecast", "umsatz.csv", "--horizon", 6)
    assert (
        told.status == 1
        and "line 46 and line 47" in told.err
        and "--duplicates mean" in told.err
    )
    words = ["--duplicates", "last"]
    files = ["--out", "plan.xlsx", "--report", "plan.html"]
    done = run("forecast", "umsatz.csv", "--horizon", 6, *words, *files)
    assert done.status == 0 and "better than" in done.out
    assert "'Summe' sums up others" in done.err and "shows all" in done.err
    looked_at = run("check", "umsatz.csv", *words)
    assert "1.234,5 = 1234.5" in looked_at.out
    sheet = openpyxl.load_workbook("plan.xlsx").worksheets[0]
    assert sheet.max_row >= 7
    assert "80" in Path("plan.html").read_text("utf-8")


def till_export() -> str:
    """Sales of the days of two years, none on Sundays; one cell has lost its decimal mark."""
    rng, lines = np.random.default_rng(0), ["Kasse 2;;", "Datum;Wochentag;Umsatz (€)"]
    week = ["Mo", "Di", "Mi", "Do", "Fr", "Sa"]
    for day in pd.date_range("2022-01-03", "2023-12-30"):
        if day.dayofweek < 6:
            value = 2500 + 200 * day.dayofweek + rng.normal(0, 100)
            cents = 1000 if day == pd.Timestamp("2023-06-14") else 1
            cell = f"{value * cents:_.2f}".replace(".", ",").replace("_", ".")
            lines.append(f"{day:%d.%m.%Y};{week[day.dayofweek]};{cell}")
    return "\n".join(lines)


def test_an_analyst_whose_file_has_a_wrong_cell(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("kasse.csv").write_text(till_export(), encoding="cp1252")
    words = ["--horizon", 24, "--total", "month", "--plot", "k.png", "--out", "k.xlsx"]
    done = run("forecast", "kasse.csv", *words)
    assert "the farthest 2,984,424" in done.err
    totals = openpyxl.load_workbook("k.xlsx")["Totals"]
    header, first, *_ = totals.iter_rows(values_only=True)
    assert first[header.index("complete")] is False  # 24 of 27 days
    masked = run("forecast", "kasse.csv", "-H", 3, "--cutoffs", 0, "--outliers", "mask")
    assert (
        "1 of 624 values is an outlier and was masked, the first 2,984,42" in masked.err
    )
    panel = lc.read("kasse.csv")
    figure = lc.LSTMForecaster(horizon=24).predict(panel).plot()
    assert figure.axes[0].get_ylim()[1] < 10_000


def shop(days: int = 140, ahead: int = 14) -> str:
    """Daily sales of three products with prices and promotions that are known two weeks ahead."""
    rng, lines = np.random.default_rng(0), ["day,product,sold,price,promotion"]
    for i, day in enumerate(pd.date_range("2024-01-01", periods=days + ahead)):
        for k, (product, level) in enumerate(
            {"milk": 60, "tea": 12, "saffron": 0.4}.items()
        ):
            promotion = int((i + 7 * k) % 31 < 3)
            sold = rng.poisson(level * (1 + 0.8 * promotion))
            cells = [sold if i < days else "", 2.5 - 0.5 * promotion, promotion]
            lines.append(",".join([f"{day:%Y-%m-%d}", product, *map(str, cells)]))
    return "\n".join(lines)


def test_a_demand_planner(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("shop.csv").write_text(shop())
    words = [
        "--target",
        "sold",
        "--horizon",
        14,
        "--future",
        "price,promotion",
        "--cutoffs",
        3,
    ]
    done = run(
        "forecast", "shop.csv", *words, "--service-level", 95, "--out", "need.csv"
    )
    assert done.status == 0 and "enough for 95" in done.out
    assert "known for 14 steps after the last values" in done.err
    totals = pd.read_csv("need.totals.csv")
    assert set(totals["product"]) == {"milk", "tea", "saffron"}
    forecast = pd.read_csv("need.csv")
    assert len(forecast) == 3 * 14 and (forecast.filter(like="q0") >= 0).all().all()


def test_a_data_scientist_in_a_notebook():
    frame = pd.read_csv(io.StringIO(shop()), parse_dates=["day"])
    panel = lc.read(
        frame, target="sold", series="product", future=["price", "promotion"]
    )
    forecast = lc.LSTMForecaster(horizon=14).predict(panel)
    tested = lc.backtest(lc.LSTMForecaster(horizon=14), panel, cutoffs=2)
    for shown in (panel, forecast, tested, tested.summary()):
        assert "<table" in shown._repr_html_()
    table = forecast.frame()
    assert isinstance(table, pd.DataFrame) and table["ds"].dtype.kind == "M"
    figure = forecast.plot()
    figure.savefig(io.BytesIO())
    merged = frame.merge(table, left_on=["product", "day"], right_on=["product", "ds"])
    assert len(merged) == 3 * 14


def test_an_engineer_with_a_database_and_a_schedule(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("shop.db") as connection:
        months = pd.date_range("2018-01-01", periods=72, freq="MS").strftime("%Y-%m-%d")
        table = pd.DataFrame({"month": months, "sold": 100 + np.arange(72) % 12})
        table.to_sql("sales", connection, index=False)
    connection.close()
    place = "forecasts@sqlite:///shop.db"
    words = ["sqlite:///shop.db?table=sales", "--horizon", 6, "--out", place]
    assert run("job", "init", *words).status == 0
    assert run("run", "job.toml", "--dry-run").status == 0
    for _ in range(2):  # the same night twice leaves the same table
        assert run("run", "job.toml").status == 0
        with sqlite3.connect("shop.db") as connection:
            assert connection.execute("select count(*) from forecasts").fetchone() == (
                6,
            )
        connection.close()
    job = (
        Path("job.toml")
        .read_text("utf-8")
        .replace("least_series = 1", "least_series = 2")
    )
    Path("job.toml").write_text(job, encoding="utf-8")
    told = run("run", "job.toml")
    assert told.status != 0 and "least_series" in told.err


def test_an_engineer_with_a_stream(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [
        "date,north,south",
        *(f"2024-03-{day:02},{100 + day % 7},40" for day in range(1, 15)),
    ]

    def feed(*more: str) -> list[dict]:
        monkeypatch.setattr(
            "sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(more).encode()))
        )
        done = run("stream", "--frequency", "daily", "--state", "shops")
        assert done.status == 0
        return [json.loads(line) for line in done.out.splitlines()]

    assert len(feed(*lines)) == 2 * 14
    # After a crash the last lines come again: they change nothing, and the stream goes on.
    again = feed(lines[0], lines[-1], "2024-03-15,101,40")
    north = [
        tick for tick in again if tick.get("series") == "north" and "times" in tick
    ]
    assert north[-1]["time"] == "2024-03-15" and north[-1]["times"][0] == "2024-03-16"


def test_a_japanese_reader_of_the_articles(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(
        "example", "temperature", "--faithful", "--out", "warm", "--language", "ja"
    )
    assert done.status == 0
    words = re.compile(r"\b(the|of|and|is|are|with|each)\b")
    assert not [
        line for line in (done.out + done.err).splitlines() if words.search(line)
    ]
    assert (tmp_path / "warm" / "next-five.png").exists()
    forecast = run("forecast", AIRLINE, "--horizon", 12, "--language", "ja")
    assert "検証データでの精度" in forecast.out


class LastSeason:
    """A forecaster from elsewhere, as a maintainer of another library would wrap one."""

    name, horizon = "last season", 12

    def predict(self, panel, horizon=None, *, cutoffs=None):
        return lc.SeasonalNaive(12).predict(panel, horizon, cutoffs=cutoffs)


def test_a_maintainer_of_darts():
    panel = lc.read(AIRLINE)
    theirs = lc.backtest(LastSeason(), panel, cutoffs=3).scores["last season"]["mase"]
    ours = lc.backtest(lc.LSTMForecaster(12), panel, cutoffs=3).scores
    assert theirs == pytest.approx(ours["seasonal naive"]["mase"])
    assert ours["lstmcast"]["mase"] < theirs


@pytest.mark.services
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here")
def test_someone_on_a_phone(run, tmp_path):
    report = tmp_path / "airline.html"
    assert run("forecast", AIRLINE, "--horizon", 12, "--report", report).status == 0
    with Browser(tmp_path / "profile", tmp_path) as browser:
        browser.resize(360, 740)
        browser.open(report.as_uri())
        browser.wait("document.querySelector('.main-svg') !== null")
        assert browser.evaluate("document.documentElement.scrollWidth") <= 360
        top = browser.evaluate(
            "document.querySelector('.main-svg').getBoundingClientRect().top"
        )
        assert top < 740  # the chart is on the first screen
        assert not browser.errors
        assert not [one for one in browser.requests if not one.startswith("file:")]
