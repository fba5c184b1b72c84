"""Columns that say of each row what its value is: debits and credits, actual values and plans."""

from __future__ import annotations

import pytest

import lstmcast as lc

DAYS = [f"2024-01-{day:02d}" for day in range(1, 25)]


@pytest.fixture
def read_marked(tmp_path):
    def reading(name, marks, values=None, **options):
        path = tmp_path / "data.csv"
        values = values or [f"{10 + n}.5" for n in range(len(DAYS))]
        rows = [
            f"{day},{value},{marks[n % len(marks)]}"
            for n, (day, value) in enumerate(zip(DAYS, values, strict=True))
        ]
        path.write_text("\n".join([f"day,amount,{name}", *rows]) + "\n")
        return lc.read(path, **options)

    return reading


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("Type", ["DR", "CR"]),
        ("Type", ["Dr.", "Cr."]),
        ("S/H", ["S", "H"]),
        ("Soll/Haben-Kennzeichen", ["S", "H"]),
        ("Transaction Type", ["debit", "credit"]),
        ("Debit/Credit", ["D", "C"]),
        ("区分", ["借方", "貸方"]),
    ],
)
def test_debits_are_negative(name, marks, read_marked):
    panel = read_marked(name, marks)
    assert panel.values[:3].ravel().tolist() == [-10.5, 11.5, -12.5]
    assert f"marks debits ({marks[0].rstrip('.').casefold()!r})" in str(panel.check())


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("Card", ["Debit", "Credit"]),
        ("Payment Type", ["Debit", "Credit"]),
        ("Size", ["S", "H"]),
        ("Type", ["DR"]),
        ("Type", ["DR", "CR", "XX"]),
    ],
)
def test_other_marks_change_nothing(name, marks, read_marked):
    assert read_marked(name, marks).values[:2].ravel().tolist() == [10.5, 11.5]


def test_values_with_signs_keep_them(read_marked):
    values = [str(10 + n if n % 2 else -10 - n) for n in range(len(DAYS))]
    assert read_marked("Type", ["DR", "CR"], values).values[:2].ravel().tolist() == [
        -10,
        11,
    ]


def test_a_column_that_names_the_series_marks_no_debits(read_marked):
    panel = read_marked("Type", ["DR", "CR"], series="Type")
    assert panel.ids.tolist() == ["DR", "CR"] and (panel.values > 0).all()


@pytest.mark.parametrize(
    "marks", [("Actual", "Forecast"), ("Ist", "Plan"), ("実績", "見込")]
)
def test_plans_among_actual_values_are_said(marks, read_marked):
    actual, planned = marks
    panel = read_marked("Kind", [actual] * 18 + [planned] * 6)
    found = [
        finding for finding in panel.report.findings if finding.rule == "planned values"
    ]
    assert [finding.severity for finding in found] == ["warning"]
    assert f"{planned!r} in 6 of 24 rows, the first in line 20" in found[0].message


def test_one_code_for_missing_is_asked_about(read_marked):
    values = [str(10 + n) for n in range(len(DAYS))]
    values[5] = "-999"
    panel = read_marked("note", ["x"], values)
    assert "the value -999 at 2024-01-06 (line 7) is far from all others" in str(
        panel.check()
    )


def test_a_low_value_that_is_no_code_is_none(read_marked):
    values = [str(10 + n) for n in range(len(DAYS))]
    values[5] = "-500"
    assert "a code for missing?" not in str(read_marked("note", ["x"], values).check())


@pytest.mark.parametrize("name", ["unit", "Currency", "UoM", "単位"])
def test_several_units_of_a_series_are_said(name, read_marked):
    panel = read_marked(name, ["kg"] * 12 + ["t"] * 12)
    assert f"the column {name!r} says several units of one series: 'kg', 't'" in str(
        panel.check()
    )


def test_one_unit_of_each_series_is_not_said(tmp_path):
    rows = [
        f"{day},{name},5.5,{unit}"
        for day in DAYS
        for name, unit in (("a", "kg"), ("b", "t"))
    ]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["day,name,amount,unit", *rows]) + "\n")
    panel = lc.read(path, series="name")
    assert "several units" not in str(panel.check())


def test_two_codes_for_missing_are_asked_about_together(read_marked):
    values = [str(10 + n) for n in range(len(DAYS))]
    values[5], values[8] = "-999", "-888"
    assert "missing_codes=['-999', '-888']" in str(
        read_marked("note", ["x"], values).check()
    )


def test_a_code_beside_values_below_0_is_asked_about(read_marked):
    values = [str(10 * (n % 7) - 30) for n in range(len(DAYS))]
    values[5] = "-9999"
    assert "the value -9999 at 2024-01-06" in str(
        read_marked("note", ["x"], values).check()
    )
