"""Dates, clock times, years and months in columns of their own."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

import lstmcast as lc

DAYS = [f"2022-03-{day:02d}" for day in range(1, 8)]


def write(folder: Path, header: str, rows: list[str]) -> Path:
    path = folder / "data.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def by_hour(write_hour, days: list[str] = DAYS) -> list[str]:
    return [
        f"{day},{write_hour(hour)},{hour + 1}.5" for day in days for hour in range(24)
    ]


HOURS = {
    "clock": ("Date,Time,Load", lambda h: f"{h:02d}:00:00"),
    "short clock": ("date,time,load", lambda h: f"{h}:00"),
    "half a day": (
        "Date,Time,Load",
        lambda h: f"{h % 12 or 12}:00 {'AM' if h < 12 else 'PM'}",
    ),
    "points": ("Date,Time,CO", lambda h: f"{h:02d}.00.00"),
    "hhmm": ("date,time,load", lambda h: f"{100 * h}"),
    "range": ("Datum,Zeit,Last", lambda h: f"{h:02d}:00 - {h + 1:02d}:00"),
    "hour": ("date,hour,load", lambda h: f"{h}"),
    "hour ending": ("date,Hour Ending,load", lambda h: f"{h + 1}"),
    "HE01": ("date,HE,load", lambda h: f"HE{h + 1:02d}"),
    "hr": ("dteday,hr,cnt", lambda h: f"{h}"),
    "Stunde": ("Datum,Stunde,Last", lambda h: f"{h}"),
    "Uhr": ("Datum,Stunde,Last", lambda h: f"{h} Uhr"),
    "時": ("日付,時,値", lambda h: f"{h}"),
    "HHMMSS": ("YYYYMMDD,HHMMSS,val", lambda h: f"{h:02d}0000"),
    "時間帯": ("日付,時間帯,値", lambda h: f"{h}時～{h + 1}時"),
    "AM": ("Date,Hour,Load", lambda h: f"{h % 12 or 12} {'AM' if h < 12 else 'PM'}"),
    "AM column": (
        "Date,Hour,AM/PM,Load",
        lambda h: f"{h % 12 or 12},{'AM' if h < 12 else 'PM'}",
    ),
    "clock beside am": (
        "Date,Time,Half,Load",
        lambda h: f"{h % 12 or 12}:00,{'a.m.' if h < 12 else 'p.m.'}",
    ),
    "午前": (
        "日付,午前午後,時,値",
        lambda h: f"{'午前' if h < 12 else '午後'},{h % 12}",
    ),
    "00h00": ("Date,Heures,Conso", lambda h: f"{h:02d}h00"),
    "slot 0": ("date,slot,kwh", lambda h: f"{h}"),
    "HourEnding": ("DeliveryDate,HourEnding,Price", lambda h: f"{h + 1:02d}:00"),
    "start and end": ("date,Start Hour,End Hour,load", lambda h: f"{h},{h + 1}"),
    "godzina": ("data,godzina,wartość", lambda h: f"{h}"),
}


@pytest.mark.parametrize("form", HOURS)
def test_a_date_and_an_hour_are_one_time(form, tmp_path):
    header, write_hour = HOURS[form]
    panel = lc.read(write(tmp_path, header, by_hour(write_hour)))
    assert (len(panel), panel.frequency.code) == (1, "h")
    assert str(panel.starts[0]) == "2022-03-01T00:00:00.000000"
    assert panel.values[:3].tolist() == [1.5, 2.5, 3.5]
    said = [
        str(note) for note in panel.check() if "joined into one time: " in str(note)
    ]
    assert len(said) == 1


HALF_HOURS = [
    f"2010,03,{d:02d},{h:02d},{m:02d},{h}"
    for d in (1, 2)
    for h in range(24)
    for m in (0, 30)
]
PARTS = {
    "year,quarter,y": (
        [f"{y},{q},{q}" for y in range(2005, 2012) for q in range(1, 5)],
        "QS",
    ),
    "Year,Qtr,y": (
        [f"{y},Q{q},{q}" for y in range(2005, 2012) for q in range(1, 5)],
        "QS",
    ),
    "Year,Period,y": (
        [f"{y},M{m:02d},{m}" for y in (2010, 2011) for m in range(1, 13)],
        "MS",
    ),
    "Yr,Mo,y": ([f"{y},{m},{m}" for y in (2010, 2011) for m in range(1, 13)], "MS"),
    "Jahr,Monat,y": (
        [f"{y},{m},5" for y in (2010, 2011) for m in ("Jan", "Feb", "Mär")],
        "MS",
    ),
    "Jahr,Quartal,y": (
        [f"{y},{q}. Quartal,{q}" for y in range(2005, 2012) for q in range(1, 5)],
        "QS",
    ),
    "Year,Week,Weekday,y": (
        [f"2024,{w},{d},{d}" for w in range(1, 9) for d in range(1, 8)],
        "D",
    ),
    "rok,měsíc,y": ([f"{y},{m},{m}" for y in (2010, 2011) for m in range(1, 13)], "MS"),
    "Year, 月,y": (
        [f"{y},{m}月分,5" for y in (2010, 2011) for m in range(1, 13)],
        "MS",
    ),
    ",,y": ([f"{y},{m},{m}" for y in (2010, 2011) for m in range(1, 13)], "MS"),
    "年,月,y": ([f"{y},{m},{m}" for y in (2010, 2011) for m in range(1, 13)], "MS"),
    "year,week,y": (
        [f"{y},{w},{w}" for y in (2010, 2011) for w in range(1, 53)],
        "W-MON",
    ),
    "YEAR,DOY,y": ([f"2010,{d},{d}" for d in range(1, 300)], "D"),
    "year,month,day,y": (
        [f"2010,{m},{d},{d}" for m in (1, 2) for d in range(1, 29)],
        "D",
    ),
    "year,month,day,hour,minute,y": (
        [f"2010,1,{d},{h},{m},5" for d in (1, 2) for h in range(24) for m in (0, 30)],
        "30min",
    ),
    "year,half,y": ([f"{y},{h},{h}" for y in range(2005, 2012) for h in (1, 2)], "2QS"),
    "年度,四半期,y": (
        [f"{y}年度,第{q}四半期,5" for y in (2019, 2020, 2021) for q in range(1, 5)],
        "QS",
    ),
    "Year,Quarter,y": (
        [f"FY{y},Q{q},5" for y in (19, 20, 21) for q in range(1, 5)],
        "QS",
    ),
    "Datum,Von,Bis,y": (
        [f"{d},{h:02d}:00,{(h + 1) % 24:02d}:00,{h}" for d in DAYS for h in range(24)],
        "h",
    ),
    "date,hour,y": ([f"{d},{100 * h},{h}" for d in DAYS for h in range(1, 25)], "h"),
    "fiscal year,month,y": (
        [f"{y},{m},{m}" for y in (2010, 2011) for m in range(1, 13)],
        "MS",
    ),
    "SETTLEMENT_DATE,SETTLEMENT_PERIOD,y": (
        [f"{day},{p},{p}" for day in DAYS for p in range(1, 49)],
        "30min",
    ),
    "Year,Month,Day,Time,y": (
        [f"2010,3,{d},{h:02d}:00,{h}" for d in range(1, 6) for h in range(24)],
        "h",
    ),
    "Time,YEAR,DOY,y": (
        [f"{h:02d}:00,2010,{d},{h}" for d in range(1, 6) for h in range(24)],
        "h",
    ),
    "YY,MM,DD,hh,mm,y": (HALF_HOURS, "30min"),
    "yr,mo,dy,hr,mn,y": (HALF_HOURS, "30min"),
    "Année,Semaine,y": (
        [f"{y},S{w:02d},{w}" for y in (2010, 2011) for w in range(1, 53)],
        "W-MON",
    ),
    "YEAR,JD,y": ([f"2010,{d},{d}.5" for d in range(1, 300)], "D"),
    "Fiscal Year,Period,y": (
        [f"{y},{p},{p}" for y in range(2010, 2014) for p in range(1, 13)],
        "MS",
    ),
    "GJAHR,POPER,y": (
        [f"{y},{p:03d},{p}.5" for y in range(2010, 2014) for p in range(1, 13)],
        "MS",
    ),
    "Year,Period,y.": (
        [f"{y},{p},{p}.5" for y in range(2010, 2014) for p in range(1, 5)],
        "QS",
    ),
    "date,hour,minute,y": (
        [
            f"{day},{h},{m},{h}"
            for day in DAYS
            for h in range(24)
            for m in (0, 15, 30, 45)
        ],
        "15min",
    ),
}


@pytest.mark.parametrize("header", PARTS)
def test_parts_of_a_time_are_one_time(header, tmp_path):
    rows, code = PARTS[header]
    panel = lc.read(write(tmp_path, header, rows))
    assert (len(panel), panel.frequency.code.split("-")[0]) == (1, code.split("-")[0])


def test_a_year_that_stands_in_its_first_row_only_is_carried_down(tmp_path):
    rows = [
        f"{y if m == 1 else ''},{m},{m}" for y in (2010, 2011) for m in range(1, 13)
    ]
    panel = lc.read(write(tmp_path, "Year,Month,y", rows))
    assert panel.values.tolist() == [*range(1, 13), *range(1, 13)]
    assert any(
        "empty cells of Year read as the cell above" in str(f) for f in panel.check()
    )


def test_a_date_that_stands_in_its_first_row_only_is_carried_down(tmp_path):
    rows = [f"{day if h == 0 else ''},{h},{h}" for day in DAYS for h in range(24)]
    assert lc.read(write(tmp_path, "date,hour,y", rows)).frequency.code == "h"


@pytest.mark.parametrize("total", ["M13", "Total", "Annual"])
def test_rows_that_sum_up_a_year_are_left_out_and_named(total, tmp_path):
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", *"789", "Oct", "Nov", "Dec"]
    header = "year,month,y"
    if total == "M13":
        months, header = [f"M{m:02d}" for m in range(1, 13)], "year,period,y"
    rows = [f"{y},{m},5" for y in (2010, 2011, 2012) for m in [*months, total]]
    panel = lc.read(write(tmp_path, header, rows))
    assert len(panel.values) == 36
    assert any("sums up others" in str(finding) for finding in panel.check())


def test_series_stay_series_beside_joined_times(tmp_path):
    rows = [f"{s},{day},{h},{h}" for s in "ab" for day in DAYS for h in range(24)]
    panel = lc.read(write(tmp_path, "store,date,hour,sold", rows))
    assert (len(panel), panel.frequency.code) == (2, "h")


def test_parts_that_a_date_already_has_are_left_alone(tmp_path):
    rows = [f"2022-{m:02d}-01,2022,{m},{m}" for m in range(1, 13)]
    panel = lc.read(write(tmp_path, "date,year,month,y", rows))
    assert (panel.report.findings[0].rule, panel.frequency.code) == ("columns", "MS")


@pytest.mark.parametrize("time", [["day", "at"], "day,at", ("day", "at")])
def test_columns_are_joined_as_they_are_named(time, tmp_path):
    rows = by_hour(lambda hour: f"{hour:02d}:00")
    path = write(tmp_path, "day,at,load", rows)
    assert lc.read(path, time=time).frequency.code == "h"


def test_a_column_that_is_no_part_of_a_time_is_refused(tmp_path):
    path = write(tmp_path, "day,who,load", [f"{day},a,1" for day in DAYS])
    with pytest.raises(
        lc.DataError, match=r"'who' cannot be part of a time: 'a', .*time="
    ):
        lc.read(path, time=["day", "who"])


def test_named_hours_are_series_where_somebody_says_so(tmp_path):
    path = write(tmp_path, "date,hour,load", by_hour(str))
    panel = lc.read(path, time="date", series="hour")
    assert (len(panel), panel.frequency.code) == (24, "D")


def test_beginnings_and_ends_of_periods_are_told_apart(tmp_path):
    hours = [f"{day} {hour:02d}:00" for day in DAYS for hour in range(24)]
    rows = [f"{begin},{end},5" for begin, end in pairwise(hours)]
    panel = lc.read(write(tmp_path, "from,to,load", rows))
    assert (panel.columns.time, panel.frequency.code) == ("from", "h")


@pytest.mark.parametrize("total", ["Total", "FY", "Jahr"])
def test_rows_that_sum_up_the_quarters_of_a_year_are_left_out(total, tmp_path):
    quarters = ["Q1", "Q2", "Q3", "Q4", total]
    rows = [f"{y},{q},{n}" for y in range(2015, 2022) for n, q in enumerate(quarters)]
    panel = lc.read(write(tmp_path, "Year,Quarter,y", rows))
    assert panel.values.tolist() == [0, 1, 2, 3] * 7


@pytest.mark.parametrize(
    "names", ["受渡日,時刻コード,価格", "Trading Date,Trading Period,Price"]
)
def test_half_hours_of_a_code_of_the_time(names, tmp_path):
    rows = [f"{day},{code},{code}.5" for day in DAYS for code in range(1, 49)]
    panel = lc.read(write(tmp_path, names, rows))
    assert (len(panel), panel.frequency.code) == (1, "30min")


@pytest.mark.parametrize("first", ["01/03/24", "01/03/2024"])
@pytest.mark.parametrize("hour", ["{:02d}:00", "{0}:00-{1}:00"])
def test_clock_times_beside_dates_tell_their_order(first, hour, tmp_path):
    days = [first.replace("01", f"{day:02d}", 1) for day in range(1, 4)]
    rows = [f"{day},{hour.format(h, h + 1)},{h}.5" for day in days for h in range(24)]
    panel = lc.read(write(tmp_path, "Date,Interval,Calls", rows))
    assert str(panel.times(0)[-1])[:13] == "2024-03-03T23"
    assert any("day/month/year" in str(finding) for finding in panel.check())


MONTHS = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
]


@pytest.mark.parametrize("filled", [True, False])
def test_years_and_months_without_names_below_titles_and_above_notes(filled, tmp_path):
    rows = [
        f"{y if filled or m == 'Januar' else ''};{m};{n},5"
        for y in (2021, 2022, 2023)
        for n, m in enumerate([*MONTHS, "Oktober", "November", "Dezember"])
    ]
    path = tmp_path / "genesis.csv"
    titles = ["Tabelle: 61111-0002", "Verbraucherpreisindex;;", ";;Index"]
    notes = [
        "__________",
        "Stand: 01.03.2024 / 10:11:12;;",
        "(C)opyright Statistisches Bundesamt;;",
    ]
    path.write_text("\n".join([*titles, *rows, *notes]) + "\n", encoding="cp1252")
    panel = lc.read(path)
    assert (panel.frequency.code, len(panel.values)) == ("MS", 36)


def test_years_and_months_in_columns_without_a_header(tmp_path):
    rows = [
        f"{y} {m:2d} {y + (m - 0.5) / 12:.3f} {m + 300}.5"
        for y in range(2010, 2015)
        for m in range(1, 13)
    ]
    path = tmp_path / "co2.txt"
    path.write_text(
        "\n".join(["#   decimal   monthly", "#   date  average  trend", *rows]) + "\n"
    )
    panel = lc.read(path, target="column4")
    assert (panel.frequency.code, panel.values[0]) == ("MS", 301.5)


FISCAL_MONTHS = [(2020 + n // 12, (n + 3) % 12 + 1) for n in range(36)]


@pytest.mark.parametrize(
    ("header", "year"),
    [
        ("Fiscal Year,Month,y", "{}"),
        ("FY,Month,y", "FY{}"),
        ("年度,月,y", "{}年度"),
        ("Year,Month,y", "{}/{}"),
    ],
)
def test_months_of_fiscal_years_belong_to_the_next_year_from_january_on(
    header, year, tmp_path
):
    rows = [
        f"{year.format(y, (y + 1) % 100)},{m},{n}"
        for n, (y, m) in enumerate(FISCAL_MONTHS)
    ]
    panel = lc.read(write(tmp_path, header, rows))
    assert panel.values.tolist() == list(range(36))
    assert str(panel.starts[0])[:7] == "2020-04"
    assert any(
        "years begin with month 04: 2020-04 to 2023-03" in str(f) for f in panel.check()
    )


def test_months_of_the_calendar_stay_in_their_year(tmp_path):
    rows = [f"{2020 + (n + 3) // 12},{(n + 3) % 12 + 1},{n}" for n in range(30)]
    panel = lc.read(write(tmp_path, "Year,Month,y", rows))
    assert panel.values.tolist() == list(range(30))
    assert not any("years begin" in str(finding) for finding in panel.check())


@pytest.mark.parametrize("time", [["day", "at", "half"], "day,at,half"])
def test_halves_of_the_day_are_joined_as_they_are_named(time, tmp_path):
    rows = by_hour(lambda hour: f"{hour % 12 or 12}:00,{'AM' if hour < 12 else 'PM'}")
    panel = lc.read(write(tmp_path, "day,at,half,load", rows), time=time)
    assert panel.values[:3].tolist() == [1.5, 2.5, 3.5] and panel.frequency.code == "h"


def test_am_and_pm_are_series_where_there_is_no_clock(tmp_path):
    rows = [f"{day},{half},{n}" for n, day in enumerate(DAYS) for half in ("AM", "PM")]
    assert lc.read(write(tmp_path, "date,shift,sold", rows)).ids.tolist() == [
        "AM",
        "PM",
    ]


@pytest.mark.parametrize("era", ["年号", "元号"])
def test_an_era_in_a_column_of_its_own_belongs_to_its_years(era, tmp_path):
    eras = [("平成", 30), ("平成", 31), ("令和", 2), ("令和", 3)]
    rows = [f"{name},{y},{m},{m}.5" for name, y in eras for m in range(1, 13)]
    panel = lc.read(write(tmp_path, f"{era},年,月,値", rows))
    assert str(panel.starts[0])[:7] == "2018-01" and len(panel.values) == 48


def test_periods_of_years_are_said_to_be_months(tmp_path):
    rows = [f"{y},{p},{p}" for y in range(2010, 2014) for p in range(1, 13)]
    panel = lc.read(write(tmp_path, "Fiscal Year,Period,y", rows))
    assert any(
        "read as months of calendar years" in str(finding) for finding in panel.check()
    )


def test_four_weeks_are_no_months(tmp_path):
    rows = [f"{y},{p},{p}.5" for y in range(2010, 2014) for p in range(1, 14)]
    with pytest.raises(lc.DataError, match=r"13 periods of each year, .*periods=13"):
        lc.read(write(tmp_path, "Year,Period,y", rows))


def test_hours_of_one_day_in_columns_without_names(tmp_path):
    rows = [f"2023;01;05;{hour};{hour + 30}.5;" for hour in range(1, 25)]
    panel = lc.read(write(tmp_path, "MARGINALPDBC;", [*rows, "*"]))
    assert (panel.frequency.code, str(panel.starts[0])[:13]) == ("h", "2023-01-05T00")
    assert panel.values[:2].tolist() == [31.5, 32.5]


@pytest.mark.parametrize(
    "columns",
    [
        {"week": [f"2021-W{week:02d}" for week in range(1, 54)]},
        {"week": [f"2021W{week:02d}" for week in range(1, 54)]},
        {"yearweek": [f"2021{week:02d}" for week in range(1, 54)]},
        {"year": [2021] * 53, "week": list(range(1, 54))},
    ],
)
def test_a_week_53_that_the_year_lacks_is_mentioned(columns):
    sales = [100.0 + week % 7 for week in range(53)]
    panel = lc.read(pd.DataFrame({**columns, "sales": sales}))
    assert "2021 has no ISO week 53: it is read as the week of 2022-01-03" in str(
        panel.check()
    )
    assert panel.values.tolist() == sales  # and a 13th week sums up nothing


def test_a_week_53_that_exists_is_not_mentioned():
    weeks = [f"2020-W{week:02d}" for week in range(1, 54)]
    panel = lc.read({"week": weeks, "sales": [100.0 + week % 7 for week in range(53)]})
    assert "week 53" not in str(panel.check())
