"""Tables whose title says the day, month or year that their rows lack."""

from __future__ import annotations

import pytest

import lstmcast as lc
from lstmcast.data.layouts.titletimes import time_in

MONTHS = "January February March April May June July August September October November December"
VALUES = [10.5 + 7 * n % 13 for n in range(31)]


def read(tmp_path, *lines, **options):
    path = tmp_path / "data.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return lc.read(path, **options)


def begin_of(panel):
    return str(panel.starts[0])[:13]


@pytest.mark.parametrize(
    "title",
    [
        "Sales 2021",
        "Report period: January - December 2021",
        "Year:,2021",
        "Umsatz im Jahr 2021",
    ],
)
def test_months_below_a_year(tmp_path, title):
    rows = [
        f"{name},{value}" for name, value in zip(MONTHS.split(), VALUES, strict=False)
    ]
    panel = read(tmp_path, title, "", "Month,Sales", *rows)
    assert (begin_of(panel), panel.frequency.code) == ("2021-01-01T00", "MS")
    assert "2021 in the title above the table completes 'Month'" in str(panel.check())


LABELS = [
    ("KW {}", 52, "2021-01-04T00"),
    ("Q{}", 4, "2021-01-01T00"),
    ("{}.01.", 31, "2021-01-01T00"),
    ("{}月", 12, "2021-01-01T00"),
    ("1/{}", 31, "2021-01-01T00"),
    ("Jan {}", 31, "2021-01-01T00"),
]


@pytest.mark.parametrize(("label", "count", "begin"), LABELS)
def test_labels_without_a_year_below_one(tmp_path, label, count, begin):
    rows = [f"{label.format(n)},{n + 0.5}" for n in range(1, count + 1)]
    panel = read(tmp_path, "Report 2021", "When,Value", *rows)
    assert (begin_of(panel), panel.report.rows) == (begin, count)


@pytest.mark.parametrize(
    "title",
    [
        "Load for 2023-03-02",
        "Lastgang vom 02.03.2023",
        "Date:,2023-03-02",
        "2 de marzo de 2023",
    ],
)
@pytest.mark.parametrize("form", ["{:02d}:00", "{} h", "{}"])
def test_hours_below_a_day(tmp_path, title, form):
    rows = [f"{form.format(hour)},{VALUES[hour]}" for hour in range(24)]
    panel = read(tmp_path, title, "Hour,Load", *rows)
    assert (begin_of(panel), panel.frequency.code) == ("2023-03-02T00", "h")


@pytest.mark.parametrize("names", ["Area,{}", ",{}"])
@pytest.mark.parametrize("count", ["H{}", "{}"])
def test_hours_across_below_a_day(tmp_path, names, count):
    header = names.format(",".join(count.format(hour) for hour in range(1, 25)))
    rows = [f"{area},{','.join(map(str, VALUES[:24]))}" for area in ("North", "South")]
    panel = read(tmp_path, "Load for 2023-03-02", header, *rows)
    assert panel.ids.tolist() == ["North", "South"]
    assert (begin_of(panel), panel.lengths.tolist()) == ("2023-03-02T00", [24, 24])


def test_the_day_of_omie_is_not_that_of_its_publication(tmp_path):
    hours = ";".join(map(str, range(1, 25)))
    values = ";".join(f"{value:.2f}".replace(".", ",") for value in VALUES[:24])
    title = "OMIE - Mercado;Fecha Emisión :01/03/2023 - 13:20;;02/03/2023;Precio (EUR/MWh);;;;"
    panel = read(tmp_path, title, "", f";{hours};", f"Precio marginal;{values};")
    assert (begin_of(panel), panel.values[:2].tolist()) == ("2023-03-02T00", VALUES[:2])


@pytest.mark.parametrize(
    "title", ["Umsatz März 2023", "2023年3月分 売上", "Sales 03/2023"]
)
def test_days_below_a_month(tmp_path, title):
    rows = [f"{day},{VALUES[day - 1]}" for day in range(1, 32)]
    panel = read(tmp_path, title, "Tag,Umsatz", *rows)
    assert (begin_of(panel), panel.report.rows) == ("2023-03-01T00", 31)


def test_days_across_below_a_month(tmp_path):
    header = ",".join(["Filiale", *map(str, range(1, 32))])
    rows = [f"{shop},{','.join(map(str, VALUES))}" for shop in ("Nord", "Süd")]
    panel = read(tmp_path, "Umsatz März 2023", header, *rows)
    assert panel.ids.tolist() == ["Nord", "Süd"] and begin_of(panel) == "2023-03-01T00"


def test_days_of_a_shorter_month(tmp_path):
    header = ",".join(["Store", *map(str, range(1, 29))])
    rows = [f"{shop},{','.join(map(str, VALUES[:28]))}" for shop in ("A", "B")]
    panel = read(tmp_path, "February 2023", header, *rows)
    assert panel.ids.tolist() == ["A", "B"] and panel.lengths.tolist() == [28, 28]
    assert begin_of(panel) == "2023-02-01T00"


@pytest.mark.parametrize("first", [0, 1])
def test_hours_across_below_nothing_but_a_day(tmp_path, first):
    header = ",".join(["Node", *map(str, range(first, 24 + first))])
    panel = read(tmp_path, "2023-03-01", header, f"A,{','.join(map(str, VALUES[:24]))}")
    assert (begin_of(panel), panel.values.tolist()) == ("2023-03-01T00", VALUES[:24])


def test_months_across_below_a_year(tmp_path):
    header = ",".join(["Region", *(name[:3] for name in MONTHS.split()), "Total"])
    rows = [
        f"{name},{','.join(map(str, VALUES[:12]))},99" for name in ("North", "South")
    ]
    panel = read(tmp_path, "Sales by region 2021", header, *rows)
    assert (
        panel.ids.tolist() == ["North", "South"] and begin_of(panel) == "2021-01-01T00"
    )


UNSAID = [
    "Umsatz 2021 und 2022",
    "Stand: 05.04.2023",
    "Index (2015=100)",
    "Exported 2023",
]


@pytest.mark.parametrize("title", UNSAID)
def test_titles_of_several_years_or_of_the_file_say_nothing(tmp_path, title):
    rows = [
        f"{name},{value}" for name, value in zip(MONTHS.split(), VALUES, strict=False)
    ]
    with pytest.raises(lc.DataError, match="labels without a year"):
        read(tmp_path, title, "Month,Sales", *rows)


def test_months_that_pass_the_end_of_a_year_are_asked_about(tmp_path):
    names = MONTHS.split()
    rows = [f"{names[(n + 9) % 12]},{n}" for n in range(6)]
    with pytest.raises(lc.DataError, match="labels without a year"):
        read(tmp_path, "Season 2021", "Month,Sales", *rows)


def test_rows_that_say_their_times_are_left_as_they_are(tmp_path):
    rows = [f"2024-03-{day:02d},{day},{day + 0.5}" for day in range(1, 31)]
    panel = read(tmp_path, "Sales 2021", "Date,Day,Sales", *rows, target="Sales")
    assert begin_of(panel) == "2024-03-01T00"


def test_dates_that_may_be_two_are_no_days():
    assert time_in(["Load 02/03/2023"]).day == ""
    assert time_in(["Load 02/03/2023"], day_first=True).day == "2023-03-02"
