"""Whether commas and points group thousands, decided by the whole file."""

import pytest

import lstmcast as lc


def read(tmp_path, text):
    path = tmp_path / "data.csv"
    path.write_text(text)
    return lc.read(path)


@pytest.mark.parametrize("delimiter", ["|", "\t", ";"])
def test_three_decimals_behind_a_comma_beside_german_dates(tmp_path, delimiter):
    rows = [f"{day:02d}.03.2024{delimiter}{50 + day},{day:03d}" for day in range(1, 20)]
    panel = read(tmp_path, "\n".join([f"Datum{delimiter}Menge", *rows]))
    assert panel.values[:2].tolist() == [51.001, 52.002]
    warnings = [note for note in panel.report.findings if note.severity == "warning"]
    assert [note.rule for note in warnings] == ["numbers"] and "--decimal" in warnings[
        0
    ].action


def test_commas_group_where_smaller_numbers_have_none(tmp_path):
    values = [900 + 30 * day for day in range(1, 20)]
    rows = [
        f"{day:02d}.03.2024\t{value:,}" for day, value in enumerate(values, start=1)
    ]
    panel = read(tmp_path, "\n".join(["Datum\tMenge", *rows]))
    assert panel.values.tolist() == values


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_arabic_thousands_are_no_decimals(tmp_path, delimiter):
    rows = [f"{day:02d}/03/2024{delimiter}٥٣٬{270 + day}" for day in range(1, 20)]
    panel = read(tmp_path, "\n".join([f"التاريخ{delimiter}القيمة", *rows]))
    assert panel.values[:2].tolist() == [53271, 53272]


def test_marks_of_the_direction_of_writing_are_not_seen(tmp_path):
    rows = [
        f"\u200f{day:02d}/03/2024\u200e,\u200e{day}.5\u200f" for day in range(1, 20)
    ]
    panel = read(tmp_path, "\n".join(["תאריך,סכום", *rows]))
    assert panel.values[:2].tolist() == [1.5, 2.5]
