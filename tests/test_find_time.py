"""Which column holds the times, where several may, and where its name does not say so."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

import lstmcast as lc

DAYS = [date(2024, 1, 20) + timedelta(days=day) for day in range(30)]
HOURS = [datetime(2024, 1, 20) + timedelta(hours=hour) for hour in range(48)]


def read(tmp_path, header, rows):
    path = tmp_path / "data.csv"
    lines = [",".join(map(str, row)) for row in [header, *rows]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return lc.read(path)


@pytest.mark.parametrize(
    "names",
    [
        ("Booking Date", "Value Date"),
        ("Buchungstag", "Valutadatum"),
        ("Reporting starts", "Reporting ends"),
        ("interval.startTime", "interval.endTime"),
    ],
)
def test_two_columns_that_say_the_same(tmp_path, names):
    panel = read(
        tmp_path, [*names, "amount"], [[d, d, n + 0.5] for n, d in enumerate(DAYS)]
    )
    assert panel.columns.time == names[0] and panel.report.rows == 30


@pytest.mark.parametrize(
    "names", [("validfrom", "validto"), ("Ab", "Bis"), ("inizio", "fine")]
)
def test_beginnings_and_ends_by_other_words(tmp_path, names):
    rows = [[t, t + timedelta(hours=1), n + 0.5] for n, t in enumerate(HOURS)]
    assert read(tmp_path, [*names, "kWh"], rows).columns.time == names[0]


def test_ends_whose_clock_is_in_another_column(tmp_path):
    rows = []
    for n, begin in enumerate(HOURS):
        end = begin + timedelta(hours=1)
        rows.append(
            [begin.date(), f"{begin:%H:%M}", end.date(), f"{end:%H:%M}", n + 0.5]
        )
    panel = read(
        tmp_path, ["Ab-Datum", "Ab-Zeit", "Bis-Datum", "Bis-Zeit", "kWh"], rows
    )
    assert panel.frequency.code == "h" and panel.report.rows == 48


def test_times_of_writing_are_not_those_of_the_data(tmp_path):
    rows = [[f"2024-06-01 00:00:{n:02d}", d, n + 0.5] for n, d in enumerate(DAYS)]
    assert read(tmp_path, ["updated_at", "valid", "v"], rows).columns.time == "valid"


def test_two_dates_that_differ_are_asked_about(tmp_path):
    rows = [[d, d + timedelta(days=n % 5), n + 0.5] for n, d in enumerate(DAYS)]
    with pytest.raises(lc.DataError, match="2 columns of dates"):
        read(tmp_path, ["ordered", "delivered", "v"], rows)


@pytest.mark.parametrize("name", ["PRD_DE", "created", "X", "Zeitstempel"])
@pytest.mark.parametrize("count", [201801, 1577836800])
def test_numbers_that_count_months_or_seconds_evenly_are_times(tmp_path, name, count):
    times = [count + 3600 * n for n in range(24)]
    if count == 201801:
        times = [100 * (2018 + n // 12) + n % 12 + 1 for n in range(24)]
    rows = [["M", time, 5.5 + 7 * n % 13] for n, time in enumerate(times)]
    panel = read(tmp_path, ["kind", name, "v"], rows)
    assert panel.columns.time == name and panel.frequency.code in ("MS", "h")


def test_numbers_of_any_other_step_are_none(tmp_path):
    rows = [["M", 201801 + 37 * n, 5.5 + 7 * n % 13] for n in range(24)]
    with pytest.raises(lc.DataError, match="no column of dates"):
        read(tmp_path, ["kind", "units", "v"], rows)


MONTHS = (
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
)


@pytest.mark.parametrize("label", ["MONAT{:02d}", "M{:02d}", "{}"])
@pytest.mark.parametrize("year", ["Zeit", "Jahr", "TIME"])
def test_months_in_a_column_that_is_not_called_so(tmp_path, label, year):
    rows = []
    for n in range(48):
        month = label.format(n % 12 + 1) if ":" in label else MONTHS.split()[n % 12]
        rows.append(["61111", 2018 + n // 12, month, n + 0.5])
    panel = read(tmp_path, ["Statistik", year, "1_Auspraegung", "Wert"], rows)
    assert (len(panel), panel.frequency.code) == (1, "MS")
    assert panel.values.tolist() == [n + 0.5 for n in range(48)]


@pytest.mark.parametrize("quote", ["'{}", "'{}'"])
def test_apostrophes_that_keep_cells_as_texts(tmp_path, quote):
    rows = [[quote.format(d), n + 0.5] for n, d in enumerate(DAYS)]
    assert str(read(tmp_path, ["Day", "v"], rows).starts[0])[:10] == "2024-01-20"


@pytest.mark.parametrize("word", ["n/e", "k. A.", "k.A.", "n/d", "s/d"])
def test_words_for_no_value(tmp_path, word):
    rows = [[d, word if n in (7, 20) else n + 0.5] for n, d in enumerate(DAYS)]
    panel = read(tmp_path, ["Day", "v"], rows)
    assert panel.report.rows == 30 and sum(panel.values != panel.values) == 2
