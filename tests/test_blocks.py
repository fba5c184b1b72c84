"""Years as blocks: under each other, with or without a header, and beside each other."""

from __future__ import annotations

import calendar

import pytest

YEARS = (2021, 2022, 2023)
VALUES = [100.0 + 7 * n % 13 for n in range(36)]
NAMES = list(calendar.month_name)[1:]


def months_of(year: int) -> list[str]:
    first = 12 * (year - 2021)
    return [f"{name},{VALUES[first + n]}" for n, name in enumerate(NAMES)]


@pytest.mark.parametrize(
    ("title", "block"),
    [
        (["month,sales"], ["{}"]),
        ([], ["{},"]),
        (["Sales of us"], ["{}", "month,sales"]),
        ([], ["", "{},", "month,sales"]),
    ],
)
def test_years_under_each_other(title, block, read_lines):
    lines = list(title)
    for year in YEARS:
        lines += [line.format(year) for line in block] + months_of(year)
    panel = read_lines(lines)
    assert panel.values.ravel().tolist() == VALUES
    assert str(panel.times(0)[12])[:10] == "2022-01-01"


def test_quarters_without_a_header_stay_quarters(read_lines):
    lines = [
        f"{year if quarter == 1 else ''},Q{quarter},{10 * (year - 2020) + quarter}"
        for year in YEARS
        for quarter in (1, 2, 3, 4)
    ]
    panel = read_lines(lines)
    assert panel.frequency.code.startswith("QS")
    assert panel.values.ravel().tolist()[:5] == [11, 12, 13, 14, 21]


def beside(separator: str) -> list[str]:
    rows = []
    for n, name in enumerate(NAMES):
        cells = [f"{name} {year},{VALUES[12 * (year - 2021) + n]}" for year in YEARS]
        rows.append(separator.join(cells))
    return rows


@pytest.mark.parametrize("separator", [",", ",,"])
def test_years_beside_each_other(separator, read_lines):
    panel = read_lines([separator.join(["month,sales"] * 3), *beside(separator)])
    assert panel.values.ravel().tolist() == VALUES
    assert "3 blocks of month, sales beside each other" in str(panel.check())


def test_blocks_of_other_lengths_are_read_to_their_ends(read_lines):
    *rows, last = beside(",")
    shorter = last.split(",")[:2]
    panel = read_lines(
        [",".join(["month,sales"] * 3), *rows, ",".join([*shorter, "", "", "", ""])]
    )
    assert panel.report.rows == 34


def test_blocks_with_the_same_times_are_not_joined(read_lines):
    rows = [f"2021-{n:02d},{n},2021-{n:02d},{2 * n}" for n in range(1, 13)]
    panel = read_lines(["month,sales,month,sales", *rows])
    assert panel.values.ravel().tolist() == list(range(1, 13))


def test_numbers_of_orders_are_no_comments(read_lines):
    rows = [f"#{1001 + n},2023-01-{n + 1:02d},{n}.5" for n in range(28)]
    panel = read_lines(["Name,Day,Total", *rows])
    assert panel.report.rows == 28
