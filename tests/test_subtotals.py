"""Totals between the rows that they add up, and names that stand in the first of their rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc
from builders import MONTHS, saved_workbook

YEARS = (2021, 2022, 2023)


def write(folder: Path, *lines: str) -> Path:
    path = folder / "data.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def said(panel: lc.Panel) -> str:
    return " ".join(str(finding) for finding in panel.check())


def sales(year: int, month: int) -> float:
    return year - 2000 + month / 4


VALUES = [sales(year, month) for year in YEARS for month in range(12)]


def of_pivot(total: str) -> list[str]:
    lines = ["Year,Month,Sales"]
    for year in YEARS:
        for month, name in enumerate(MONTHS):
            lines.append(f"{year if month == 0 else ''},{name},{sales(year, month)}")
        lines.append(f"{total.format(year)},,300")
    return [*lines, "Grand Total,,900"]


@pytest.mark.parametrize("total", ["{} Total", "Total {}", "Summe", "{}年合計"])
def test_totals_of_years_in_a_pivot_table_are_left_out(total, tmp_path):
    panel = lc.read(write(tmp_path, *of_pivot(total)))
    assert (panel.frequency.code, panel.values.tolist()) == ("MS", VALUES)
    assert "sums up others" in said(panel)


def between(totals_of_quarters: list[str], totals_of_years: str) -> list[str]:
    lines = ["Month,Sales"]
    for year in YEARS:
        for month, name in enumerate(MONTHS):
            lines.append(f"{name} {year},{sales(year, month)}")
            if totals_of_quarters and month % 3 == 2:
                lines.append(f"{totals_of_quarters[month // 3]} {year},77")
        if totals_of_years:
            lines.append(f"{totals_of_years.format(year)},300")
    return lines


@pytest.mark.parametrize(
    ("quarters", "years"),
    [
        ([], "Total {}"),
        (["Q1", "Q2", "Q3", "Q4"], ""),
        (["Q1", "Q2", "Q3", "Q4"], "{}"),
        (["1. Quartal", "2. Quartal", "3. Quartal", "4. Quartal"], "Summe {}"),
    ],
)
def test_quarters_and_years_among_months_are_left_out(quarters, years, tmp_path):
    panel = lc.read(write(tmp_path, *between(quarters, years)))
    assert (panel.frequency.code, panel.values.tolist()) == ("MS", VALUES)
    assert "sums up" in said(panel)


def test_years_quarters_and_months_below_each_other(tmp_path):
    lines = [f"{year},{year - 2000}" for year in YEARS]
    lines += [f"{year} Q{quarter},5" for year in YEARS for quarter in range(1, 5)]
    lines += [
        f"{y} {name.upper()},{sales(y, m)}"
        for y in YEARS
        for m, name in enumerate(MONTHS)
    ]
    panel = lc.read(write(tmp_path, "Title,CPI", *lines))
    assert (panel.frequency.code, panel.values.tolist()) == ("MS", VALUES)


def test_years_before_the_first_month_are_told_as_what_may_be_data(tmp_path):
    lines = [f"{year},{year - 2000}" for year in range(2010, 2021)]
    lines += [f"{y}-{m + 1:02d},{sales(y, m)}" for y in YEARS for m in range(12)]
    panel = lc.read(write(tmp_path, "period,y", *lines))
    assert str(panel.starts[0])[:7] == "2021-01"
    assert any(
        "'2010' is not a date" in str(warning) for warning in panel.check().warnings
    )


def test_a_series_called_total_that_has_its_own_times_stays(tmp_path):
    lines = [
        f"{region},{name} {year},{sales(year, month)}"
        for region in ("North", "South", "Total")
        for year in YEARS
        for month, name in enumerate(MONTHS)
    ]
    panel = lc.read(write(tmp_path, "Region,Month,Sales", *lines))
    assert panel.ids.tolist() == ["North", "South", "Total"]


@pytest.mark.parametrize("total", ["{} Total", "Total {}", "{} Ergebnis", "小計"])
def test_merged_names_are_carried_down_past_totals(total, tmp_path):
    lines = ["Region,Month,Sales"]
    for place, region in enumerate(("North", "South", "West")):
        for month, name in enumerate(MONTHS):
            lines.append(
                f"{region if month == 0 else ''},{name} 2021,{place + month / 4}"
            )
        lines.append(f"{total.format(region)},,100")
    panel = lc.read(write(tmp_path, *lines))
    assert panel.ids.tolist() == ["North", "South", "West"]
    assert panel.series(2).tolist() == [2 + month / 4 for month in range(12)]
    assert "empty cells of Region read as the cell above them" in said(panel)


def test_two_merged_names_are_carried_down(tmp_path):
    lines = ["Region,Item,Month,Sales"]
    for region in ("North", "South"):
        for item in ("tea", "coffee"):
            for month, name in enumerate(MONTHS):
                first = region if month == 0 and item == "tea" else ""
                lines.append(
                    f"{first},{item if month == 0 else ''},{name} 2021,{month}.5"
                )
    panel = lc.read(write(tmp_path, *lines))
    assert len(panel) == 4


def test_sparse_remarks_are_not_carried_down(tmp_path):
    days = [f"2024-01-{day:02d}" for day in range(1, 29)]
    lines = [f"{'opened' if n == 0 else ''},{day},{n}.5" for n, day in enumerate(days)]
    panel = lc.read(write(tmp_path, "remark,day,sales", *lines))
    assert len(panel) == 1 and "read as the cell above" not in said(panel)


def test_titles_and_totals_of_pages_are_left_out(tmp_path):
    lines = []
    for page in range(4):
        lines += [f"Page {page + 1} of 4,", "Report,", "Month,Sales"]
        lines += [
            f"{name} {2020 + page},{sales(2020 + page, n)}"
            for n, name in enumerate(MONTHS)
        ]
        lines.append("Page total,999")
    panel = lc.read(write(tmp_path, *lines))
    assert (panel.frequency.code, len(panel.values)) == ("MS", 48)
    assert panel.values.max() < 100


def summed(name: str, column: bool) -> list[list[object]]:
    """A table of three products by month, and their sum as a row or column."""
    header: list[object] = ["Product", *(f"{month} 2023" for month in MONTHS)]
    rows: list[list[object]] = [header]
    for place, product in enumerate(["Tea", "Coffee", "Cocoa"]):
        rows.append([product, *(100 * place + month + 0.25 for month in range(12))])
    sums = [sum(row[place] for row in rows[1:]) for place in range(1, 13)]
    rows.append([name, *(round(value, 1) for value in sums)])
    if column:
        return [list(cells) for cells in zip(*rows, strict=True)]
    return rows


@pytest.mark.parametrize("name", ["Total", "Grand Total", "All", "Summe", "合計"])
@pytest.mark.parametrize("column", [False, True])
def test_a_series_that_sums_up_all_others_is_left_out_of_a_wide_table(
    name, column, tmp_path
):
    header, *rows = summed(name, column)
    lines = [",".join(map(str, row)) for row in rows]
    path = write(tmp_path, ",".join(header), *lines)
    target = "*" if column else None
    panel = lc.read(path, target=target)
    assert panel.ids.tolist() == ["Tea", "Coffee", "Cocoa"]
    found = [finding.message for finding in panel.report.findings]
    assert f"the series {name!r} sums up the 3 others" in found


def test_a_total_of_something_else_stays(tmp_path):
    header, *rows = summed("Total", column=True)
    for row in rows:
        row[-1] += 50
    lines = [",".join(map(str, row)) for row in rows]
    panel = lc.read(write(tmp_path, ",".join(header), *lines), target="*")
    assert panel.ids.tolist() == ["Tea", "Coffee", "Cocoa", "Total"]


def test_a_total_that_is_named_stays(tmp_path):
    header, *rows = summed("Total", column=True)
    lines = [",".join(map(str, row)) for row in rows]
    path = write(tmp_path, ",".join(header), *lines)
    assert lc.read(path, target="Total").values[0] == 300.8
    named = lc.read(path, target=["Tea", "Coffee", "Total"])
    assert named.ids.tolist() == ["Tea", "Coffee", "Total"]


def test_margins_of_a_pivot_table():
    frame = pd.DataFrame(
        {
            "day": list(pd.date_range("2024-01-01", periods=20)) * 2,
            "shop": ["a"] * 20 + ["b"] * 20,
            "qty": range(40),
        }
    )
    pivot = pd.pivot_table(
        frame, index="day", columns="shop", values="qty", aggfunc="sum", margins=True
    )
    assert lc.read(pivot, target="*").ids.tolist() == ["a", "b"]


def test_totals_below_the_days_of_each_sheet(tmp_path):
    sheets = {}
    for number, month in enumerate(["Jan 23", "Feb 23", "Mar 23"], start=1):
        days = [[day, day + number, 2 * day] for day in range(1, 29)]
        sheets[month] = [["Day", "Shop A", "Shop B"], *days, ["Total", 434, 812]]
    panel = lc.read(saved_workbook(tmp_path / "book.xlsx", sheets), target="*")
    assert panel.ids.tolist() == ["Shop A", "Shop B"]
    assert str(panel.starts[0])[:10] == "2023-01-01"
    assert np.isfinite(panel.values).sum() == 2 * 3 * 28
