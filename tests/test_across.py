"""Calendars across the columns."""

from __future__ import annotations

from pathlib import Path

import pytest

import lstmcast as lc
from builders import MONTHS

YEARS = range(2010, 2016)


def write(folder: Path, header: list[str], rows: list[list[object]]) -> Path:
    path = folder / "data.csv"
    lines = [",".join(map(str, row)) for row in [header, *rows]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "names",
    [
        MONTHS,
        [name.upper() for name in MONTHS],
        [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        [f"M{month:02d}" for month in range(1, 13)],
        [f"{month}月" for month in range(1, 13)],
        [
            "ม.ค.",
            "ก.พ.",
            "มี.ค.",
            "เม.ย.",
            "พ.ค.",
            "มิ.ย.",
            "ก.ค.",
            "ส.ค.",
            "ก.ย.",
            "ต.ค.",
            "พ.ย.",
            "ธ.ค.",
        ],
        [
            "stycznia",
            "lut",
            "mar",
            "kwi",
            "maj",
            "cze",
            "lip",
            "sie",
            "wrz",
            "paź",
            "lis",
            "gru",
        ],
        [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
    ],
)
def test_months_across_are_one_monthly_series(names, tmp_path):
    rows = [[year, *range(12 * n, 12 * n + 12)] for n, year in enumerate(YEARS)]
    panel = lc.read(write(tmp_path, ["Year", *names], rows))
    assert (len(panel), panel.frequency.code) == (1, "MS")
    assert panel.values.tolist() == [float(value) for value in range(72)]
    findings = str(panel.check())
    assert "are months: each of their cells became a row" in findings


def test_totals_are_left_out_with_a_note(tmp_path):
    rows = [[year, *[1] * 12, 12, 1] for year in YEARS]
    panel = lc.read(write(tmp_path, ["Year", *MONTHS, "Total", "Average"], rows))
    assert len(panel.values) == 72 and set(panel.values) == {1.0}
    assert any("'Total', 'Average'" in str(finding) for finding in panel.check())


def test_months_that_have_not_come_are_no_rows(tmp_path):
    rows = [[year, *range(1, 13)] for year in YEARS]
    rows[-1] = [2015, 1, 2, 3, *[""] * 9]
    assert len(lc.read(write(tmp_path, ["Year", *MONTHS], rows)).values) == 63


def test_fiscal_years_go_on_in_january(tmp_path):
    rows = [[f"{year}/{(year + 1) % 100:02d}", *range(1, 13)] for year in YEARS]
    panel = lc.read(write(tmp_path, ["FY", *MONTHS[3:], *MONTHS[:3]], rows))
    assert (str(panel.starts[0])[:10], panel.frequency.code) == ("2010-04-01", "MS")
    assert panel.values.tolist() == [float(m) for m in range(1, 13)] * 6


def test_series_beside_a_calendar_stay_series(tmp_path):
    rows = [[s, year, *range(1, 13)] for s in "ab" for year in YEARS]
    panel = lc.read(write(tmp_path, ["station", "year", *MONTHS], rows))
    assert (panel.ids.tolist(), panel.frequency.code) == (["a", "b"], "MS")


@pytest.mark.parametrize("names", [["Q1", "Q2", "Q3", "Q4"], ["I", "II", "III", "IV"]])
def test_quarters_across(names, tmp_path):
    rows = [[year, 1, 2, 3, 4] for year in YEARS]
    panel = lc.read(write(tmp_path, ["Year", *names], rows))
    assert (panel.frequency.code, panel.values[:5].tolist()) == (
        "QS",
        [1.0, 2.0, 3.0, 4.0, 1.0],
    )


@pytest.mark.parametrize(
    "names",
    [
        [f"{hour}:00" for hour in range(24)],
        [f"H{hour:02d}" for hour in range(1, 25)],
        [f"HE{hour}" for hour in range(1, 25)],
        [f"{hour:02d}:00-{hour + 1:02d}:00" for hour in range(24)],
        [f"{hour}" for hour in range(24)],
        [f"{hour}時" for hour in range(24)],
    ],
)
def test_hours_across(names, tmp_path):
    rows = [[f"2022-03-{day:02d}", *range(24)] for day in range(1, 8)]
    panel = lc.read(write(tmp_path, ["date", *names], rows))
    assert (len(panel), panel.frequency.code, len(panel.values)) == (1, "h", 168)
    assert str(panel.starts[0])[:16] == "2022-03-01T00:00" and panel.values[5] == 5


def test_half_hours_across(tmp_path):
    names = [f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in (0, 30)]
    rows = [[f"2022-03-{day:02d}", *range(48)] for day in range(1, 8)]
    assert lc.read(write(tmp_path, ["date", *names], rows)).frequency.code == "30min"


def test_days_of_a_month_across(tmp_path):
    rows = [
        [f"2022-{m:02d}", *[d if d < 29 else "" for d in range(1, 32)]]
        for m in range(1, 5)
    ]
    panel = lc.read(write(tmp_path, ["month", *range(1, 32)], rows))
    assert panel.frequency.code == "D" and str(panel.starts[0])[:10] == "2022-01-01"


def test_weekdays_across(tmp_path):
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    rows = [[f"2022-01-{day:02d}", *range(7)] for day in (3, 10, 17, 24, 31)]
    panel = lc.read(write(tmp_path, ["week of", *names], rows))
    assert (panel.frequency.code, len(panel.values)) == ("D", 35)


@pytest.mark.parametrize("total", [[], [["Total", *[78] * 6]]])
def test_years_across_and_months_in_rows(total, tmp_path):
    rows = [
        [name, *[10 * n + m for n in range(6)]] for m, name in enumerate(MONTHS)
    ] + total
    panel = lc.read(write(tmp_path, ["Month", *YEARS], rows))
    assert (len(panel), panel.frequency.code, panel.values[:3].tolist()) == (
        1,
        "MS",
        [0.0, 1.0, 2.0],
    )
    assert len(panel.values) == 72


def test_a_month_that_is_named_is_the_target(tmp_path):
    rows = [[year, *range(1, 13)] for year in YEARS]
    panel = lc.read(write(tmp_path, ["Year", *MONTHS], rows), target="Jan")
    assert panel.frequency.code == "YS"


def test_seasons_beside_months_are_no_target(tmp_path):
    names = [*MONTHS, "D-J-F", "M-A-M", "metANN", "rain"]
    rows = [[year, *range(1, 13), 0, 0, 0, 0] for year in YEARS]
    panel = lc.read(write(tmp_path, ["YEAR", *names], rows))
    assert panel.values[:12].tolist() == [float(month) for month in range(1, 13)]


def test_numbered_months_of_fiscal_years_go_on_in_january(tmp_path):
    names = [f"{(month + 3) % 12 + 1}月" for month in range(12)]
    rows = [[f"{2020 + n}年度", *range(12 * n, 12 * n + 12)] for n in range(3)]
    panel = lc.read(write(tmp_path, ["年度", *names], rows))
    assert panel.values.tolist() == list(range(36))
    assert str(panel.starts[0])[:7] == "2020-04"


@pytest.mark.parametrize("total", [False, True])
@pytest.mark.parametrize(
    ("first", "years"),
    [
        (4, ["FY2021-22", "FY2022-23", "FY2023-24"]),
        (7, ["2021/22", "2022/23", "2023/24"]),
        (10, ["2021", "2022", "2023"]),
        (4, ["FY21", "FY22", "FY23"]),
        (4, ["2021年度", "2022年度", "2023年度"]),
    ],
)
def test_fiscal_years_across_and_months_in_rows(first, years, total, tmp_path):
    months = MONTHS[first - 1 :] + MONTHS[: first - 1]
    rows = []
    for number, month in enumerate(months):
        rows.append([month, number, 100 + number, 200 + number])
    if total:
        rows.append(["Total", 66, 1266, 2466])
    panel = lc.read(write(tmp_path, ["Month", *years], rows))
    assert str(panel.starts[0])[:7] == f"2021-{first:02d}"
    assert str(panel.ends[0])[:7] == f"2024-{first - 1:02d}"
    expected = [100 * year + month for year in range(3) for month in range(12)]
    assert panel.values.tolist() == expected
    messages = [finding.message for finding in panel.report.findings]
    assert any(f"years begin with month {first:02d}" in text for text in messages)


def test_three_years_across_and_months_in_rows(tmp_path):
    rows = [
        [name, n, n + 12, n + 24]
        for n, name in enumerate(["Jan", "Feb", *NAMES_FROM_MARCH])
    ]
    panel = lc.read(write(tmp_path, ["Month", 2021, 2022, 2023], rows))
    assert panel.values.tolist() == list(range(36))


NAMES_FROM_MARCH = MONTHS[2:]


@pytest.mark.parametrize("years", [(2023, 2024), (2024,)])
def test_days_across_beside_a_year_and_a_month(years, tmp_path):
    rows = [
        [year, month, *(31 * month + day if day <= 28 else "" for day in range(1, 32))]
        for year in years
        for month in (1, 2)
    ]
    panel = lc.read(write(tmp_path, ["Year", "Month", *map(str, range(1, 32))], rows))
    assert (len(panel), panel.frequency.code, panel.values[0]) == (1, "D", 32)


@pytest.mark.parametrize("letter", ["X", "y"])
def test_years_behind_a_letter_across(letter, tmp_path):
    rows = [[name, *range(30)] for name in "AB"]
    panel = lc.read(
        write(tmp_path, ["item", *(f"{letter}{y}" for y in range(1990, 2020))], rows)
    )
    assert (panel.frequency.code, str(panel.starts[0])[:4]) == ("YS", "1990")


def by_year(count: int) -> list[list[object]]:
    return [
        [year, *range(count * n, count * n + count)] for n, year in enumerate(YEARS)
    ]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["1st Qtr", "2nd Qtr", "3rd Qtr", "4th Qtr"], "QS"),
        (["Jan-Mar", "Apr-Jun", "Jul-Sep", "Oct-Dec"], "QS"),
        (["1-3月期", "4-6月期", "7-9月期", "10-12月期"], "QS"),
        (["H1", "H2"], "2QS"),
        (["上期", "下期"], "2QS"),
        ([f"W{week}" for week in range(1, 53)], "W-MON"),
        ([f"KW {week:02d}" for week in range(1, 54)], "W-MON"),
    ],
)
def test_other_parts_of_years_across_are_one_series(names, code, tmp_path):
    count = len(names)
    panel = lc.read(write(tmp_path, ["Year", *names], by_year(count)))
    assert (len(panel), panel.frequency.code.split("-")[0]) == (1, code.split("-")[0])
    assert panel.values[: count - 1].tolist() == list(range(count - 1))


def test_a_year_without_a_week_53_has_none(tmp_path):
    names = [f"W{week}" for week in range(1, 54)]
    panel = lc.read(write(tmp_path, ["Year", *names], by_year(53)))
    assert str(panel.starts[0])[:10] == "2010-01-04" and len(panel.values) == 52 * 6 + 1


@pytest.mark.parametrize("name", ["{}", "hh_{}", "P{}", "HH{:02d}"])
@pytest.mark.parametrize("first", [0, 1])
def test_half_hours_across_are_numbered_from_0_or_1(name, first, tmp_path):
    names = [name.format(slot) for slot in range(first, first + 48)]
    rows = [
        [f"2022-03-{day:02d}", *range(48 * day, 48 * day + 48)] for day in range(1, 5)
    ]
    panel = lc.read(write(tmp_path, ["date", *names], rows))
    assert (len(panel), panel.frequency.code) == (1, "30min")
    assert panel.values.tolist() == list(range(48, 48 * 5))


@pytest.mark.parametrize(
    ("header", "first", "code"),
    [("Month", 12, "MS"), ("Quarter", 4, "QS"), ("Week", 52, "W-MON")],
)
def test_numbered_parts_down_and_years_across_are_one_series(
    header, first, code, tmp_path
):
    rows = [
        [part, *[first * n + part for n in range(6)]] for part in range(1, first + 1)
    ]
    panel = lc.read(write(tmp_path, [header, *map(str, YEARS)], rows))
    assert (len(panel), panel.frequency.code.split("-")[0]) == (1, code.split("-")[0])
    assert panel.values[:first].tolist() == list(range(1, first + 1))


def test_days_down_and_months_across_are_one_series(tmp_path):
    months = ["Jan 2022", "Feb 2022", "Mar 2022"]
    lengths = (31, 28, 31)
    rows = [
        [d, *[100 * m + d if d <= lengths[m] else "" for m in range(3)]]
        for d in range(1, 32)
    ]
    panel = lc.read(write(tmp_path, ["Day", *months], rows))
    assert (len(panel), panel.frequency.code, len(panel.values)) == (1, "D", 90)
    assert panel.values[31] == 101


def test_years_that_begin_in_october_say_which_months_are_meant(tmp_path):
    names = [*MONTHS[9:], *MONTHS[:9]]
    panel = lc.read(write(tmp_path, ["FY", *names], by_year(12)))
    assert "years begin with month 10: 2010-10 to 2016-09" in str(panel.check())
