"""Durations as values."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

import lstmcast as lc

DAYS = [date(2024, 1, 20) + timedelta(days=day) for day in range(30)]
MINUTES = [300 + 37 * n % 211 for n in range(30)]


def read(tmp_path, name, form, **options):
    path = tmp_path / "data.csv"
    lines = [f"date;{name}"]
    for day, minutes in zip(DAYS, MINUTES, strict=True):
        hours, rest = divmod(minutes, 60)
        lines.append(f"{day};{form.format(h=hours, m=rest, d=hours // 24)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return lc.read(path, **options)


@pytest.mark.parametrize(
    "form",
    [
        "PT{h}H{m}M",
        "{h}h {m}m",
        "{h} hrs {m} min",
        "0 days {h:02d}:{m:02d}:00",
        "P0DT{h}H{m}M0S",
    ],
)
def test_durations_with_their_units(tmp_path, form):
    panel = read(tmp_path, "time", form)
    assert np.allclose(panel.values, np.array(MINUTES) / 60)
    assert "read as hours" in str(panel.check())


@pytest.mark.parametrize(
    "name", ["hours worked", "Arbeitszeit (h:mm)", "durée", "労働時間"]
)
@pytest.mark.parametrize("form", ["{h}:{m:02d}", "{h:02d}:{m:02d}:00"])
def test_hours_and_minutes_by_the_name(tmp_path, name, form):
    assert np.allclose(read(tmp_path, name, form).values, np.array(MINUTES) / 60)


def test_a_named_target_beside_numbers(tmp_path):
    panel = read(tmp_path, "duration;orders", "{h}:{m:02d};{h}", target="duration")
    assert np.allclose(panel.values, np.array(MINUTES) / 60)


def test_clock_times_are_no_durations(tmp_path):
    with pytest.raises(lc.DataError, match="no numeric column"):
        read(tmp_path, "opened", "{h:02d}:{m:02d}")


def test_hours_of_a_day_beside_numbers_stay_times(tmp_path):
    path = tmp_path / "load.csv"
    rows = [
        f"2024-03-0{day};{hour:02d}:00;{hour + 0.5}"
        for day in (1, 2, 3)
        for hour in range(24)
    ]
    path.write_text("\n".join(["date;hours;load", *rows]) + "\n")
    panel = lc.read(path)
    assert panel.frequency.code == "h" and panel.report.rows == 72


def test_durations_of_a_workbook(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["date", "hours"])
    for day, minutes in zip(DAYS, MINUTES, strict=True):
        book.active.append([day, timedelta(minutes=5 * minutes)])
    book.save(tmp_path / "book.xlsx")
    panel = lc.read(tmp_path / "book.xlsx")
    assert np.allclose(panel.values, np.array(MINUTES) / 12, atol=1e-3)
