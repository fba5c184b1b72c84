"""Numbers that count days, in columns whose name says so."""

from __future__ import annotations

import pytest

import lstmcast as lc

COUNTS = [
    ("MJD", ["59945", "59946", "59947"], "2023-01-01T00:00"),
    ("mjd_utc", ["59945.25", "59946.25", "59947.25"], "2023-01-01T06:00"),
    ("Julian Date", ["2459945.5", "2459946.5", "2459947.5"], "2023-01-01T00:00"),
    ("HJD", ["2459945.0", "2459946.0", "2459947.0"], "2022-12-31T12:00"),
    ("Julian Date", ["23001", "23002", "23003"], "2023-01-01T00:00"),
    ("Julian Date", ["98364", "98365", "99001"], "1998-12-30T00:00"),
    ("JDE Date", ["122364", "122365", "123001"], "2022-12-30T00:00"),
    ("Date", ["1221230", "1221231", "1230101"], "2022-12-30T00:00"),
    ("Year", ['"1,990"', '"1,991"', '"1,992"'], "1990-01-01T00:00"),
    ("datenum", ["738887", "738888", "738889"], "2023-01-01T00:00"),
    ("Date", ["44927", "44928", "44929"], "2023-01-01T00:00"),
    ("time", ["44927.00000", "44927.04167", "44927.08333"], "2023-01-01T00:00"),
    ("Zeit", ["738887.00000", "738887.02083", "738887.04167"], "2023-01-01T00:00"),
    ("พ.ศ.", ["2566", "2567", "2568"], "2023-01-01T00:00"),
]


@pytest.mark.parametrize(("name", "numbers", "first"), COUNTS)
def test_days_are_counted_as_the_name_says(name, numbers, first, tmp_path):
    path = tmp_path / "data.csv"
    rows = [f"{number},{5 + n}.5" for n, number in enumerate(numbers)]
    path.write_text("\n".join([f"{name},flux", *rows]) + "\n")
    panel = lc.read(path)
    assert str(panel.starts[0])[:16] == first and panel.values.ravel().tolist() == [
        5.5,
        6.5,
        7.5,
    ]
    assert "numbers read as" in str(panel.check())


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("level", ["59945", "59946", "59947"]),
        ("MJD", ["945", "946", "947"]),
        ("time", ["44927.00", "44927.05", "44927.10"]),
        ("time", ["60004.00000", "60004.04167", "60004.08333"]),
        ("Julian Date", ["23001", "23366", "23400"]),
    ],
)
def test_other_numbers_are_no_days(name, numbers, tmp_path):
    path = tmp_path / "data.csv"
    rows = [f"{number},{5 + n}.5" for n, number in enumerate(numbers)]
    path.write_text("\n".join([f"{name},flux", *rows]) + "\n")
    with pytest.raises(lc.DataError, match="no column of dates"):
        lc.read(path)
