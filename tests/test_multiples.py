"""Units of several sizes in one column, marks of accounts and of footnotes."""

from __future__ import annotations

import numpy as np
import pytest

from lstmcast.data.numbers import parse_numbers
from lstmcast.data.times.periodwords import named_period

SIZES = [
    ("950|1.2K|15.3K|2.5M|1.5B", [950, 1200, 15300, 2.5e6, 1.5e9]),
    ("$950|$1.2k|$3.4m", [950, 1200, 3.4e6]),
    ("950|1.2k|15k", [950, 1200, 15000]),
    ("1,2 Mio.|345,6 Tsd.|1,5 Mrd.", [1.2e6, 345600, 1.5e9]),
    ("1.2bn|340mn|2.3mn", [1.2e9, 3.4e8, 2.3e6]),
    ("£1.2 billion|£340 million", [1.2e9, 3.4e8]),
    ("2.5 Cr|40 L|98 Lakh", [2.5e7, 4e6, 9.8e6]),
    ("1.2万|3.4億|9800", [12000, 3.4e8, 9800]),
    ("1.5 млн|300 тыс.", [1.5e6, 3e5]),
    ("1,5 mil|2,5 mi", [1500, 2.5e6]),
    ("850 kWh|1.1 MWh|2 GWh", [8.5e5, 1.1e6, 2e9]),
    ("345 MB|1.2 GB", [3.45e8, 1.2e9]),
    ("(1.2K)|-3M|2.3M", [-1200, -3e6, 2.3e6]),
]
SIDES = [
    ("1,200.00 Dr|300.00 Cr|0.00 Cr", [-1200, 300, 0]),
    ("1200.00DR|300.00CR", [-1200, 300]),
    ("501,26 S|522,95 H", [-501.26, 522.95]),
    ("1.501,26 D|522,95 C", [-1501.26, 522.95]),
]
FOOTNOTES = [
    ("921¹|934|960", [921, 934, 960]),
    ("92.16[1]|93.4|96", [92.16, 93.4, 96]),
    ("92.16 (2)|93.4|96", [92.16, 93.4, 96]),
    ("1,921†|1,934|1,960**|1,999", [1921, 1934, 1960, 1999]),
]
# all values have the unit, or it is a measure, a mark of statistical offices, or several things
AS_BEFORE = [
    ("1.2M|3.4M", [1.2, 3.4], "'m' removed from every value"),
    ("12 Cr|13 Cr", [12, 13], "'cr' removed from every value"),
    (
        "12.5|13.1b|14.2|13.3",
        [12.5, 13.1, 14.2, 13.3],
        "marks after numbers removed (b)",
    ),
]
NO_NUMBERS = ["12 kg|13 l|14 m", "500 mW|1.2 W", "1 d|2|3|4|5 c", "12 m|13|14"]


@pytest.mark.parametrize(("texts", "expected"), SIZES)
def test_units_of_several_sizes_are_part_of_the_numbers(texts, expected):
    numbers = parse_numbers(texts.split("|"))
    assert numbers.values.tolist() == expected
    assert numbers.notes[0].startswith(
        "units of several sizes read as parts of the numbers ("
    )


@pytest.mark.parametrize(("texts", "expected"), SIDES)
def test_debits_are_negative(texts, expected):
    numbers = parse_numbers(texts.split("|"))
    assert numbers.values.tolist() == expected
    assert "read as negative, those marked" in numbers.notes[0]


@pytest.mark.parametrize(("texts", "expected"), FOOTNOTES)
def test_signs_of_footnotes_are_no_digits(texts, expected):
    numbers = parse_numbers(texts.split("|"))
    assert numbers.values.tolist() == expected
    assert numbers.notes[0].startswith("marks after numbers removed (")


@pytest.mark.parametrize(("texts", "expected", "note"), AS_BEFORE)
def test_one_unit_and_marks_of_offices_are_taken_off(texts, expected, note):
    numbers = parse_numbers(texts.split("|"))
    assert numbers.values.tolist() == expected and numbers.notes == (note,)


@pytest.mark.parametrize("texts", NO_NUMBERS)
def test_units_of_several_things_are_refused(texts):
    numbers = parse_numbers(texts.split("|"))
    assert numbers.bad.any() and np.isnan(numbers.values[numbers.bad]).all()


@pytest.mark.parametrize("text", ["345.60k", "1.23m", "2,5b"])
def test_a_number_with_a_size_is_no_period(text):
    assert named_period(text) is None


def test_volumes_in_thousands_are_no_quarters_to_be_left_out(tmp_path):
    from lstmcast.data.read import read

    rows = [
        f"2023-01-{day:02d},{day}.5,{2.5 if day % 2 else 345.6:.2f}{'KM'[day % 2]}"
        for day in range(1, 29)
    ]
    path = tmp_path / "prices.csv"
    path.write_text("Date,Price,Vol.\n" + "\n".join(rows) + "\n")
    assert len(read(path, target="Price").values) == 28
    assert read(path, target="Vol.").values[:2].ravel().tolist() == [2.5e6, 345600]


def test_thousands_that_could_be_decimals_are_said():
    numbers = parse_numbers(["2,005", "3,120", "1,999"])
    assert numbers.values.tolist() == [2005, 3120, 1999]
    assert numbers.notes == ("commas read as thousands separators (1,234 = 1234)",)
    assert parse_numbers(["2,005", "999", "1,000,000"]).notes == ()
