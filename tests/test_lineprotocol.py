"""InfluxDB's line protocol as a source."""

from __future__ import annotations

import pytest

import lstmcast as lc

FIRST = 1672531200
VALUES = [100.5 + n % 7 for n in range(24)]


def lines(form: str, unit: int = 10**9) -> str:
    texts = [
        form.format(value, (FIRST + 60 * n) * unit) for n, value in enumerate(VALUES)
    ]
    return "\n".join(texts) + "\n"


@pytest.fixture
def read_lines(tmp_path):
    def reading(text, **options):
        path = tmp_path / "points.lp"
        path.write_text(text)
        return lc.read(path, **options)

    return reading


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
@pytest.mark.parametrize(
    "form",
    [
        "cpu load={} {}",
        "cpu,host=a load={} {}",
        "# DML\ncpu,host=a,region=eu load={} {}",
        r'weather\,\ daily,place=us\ midwest load={},note="a \"b, c=d" {}',
    ],
)
def test_points_are_rows(form, unit, read_lines):
    panel = read_lines(lines(form, unit))
    assert panel.values.ravel().tolist() == VALUES
    assert str(panel.times(0)[1])[:19] == "2023-01-01T00:01:00"


def test_tags_name_the_series_and_fields_are_columns(read_lines):
    text = lines("cpu,host=a load={},idle=90i {}") + lines(
        "cpu,host=b load={},idle=80i {}"
    )
    panel = read_lines(text, target="idle")
    assert panel.ids.tolist() == ["a", "b"]
    assert set(panel.series(0).ravel()) == {90.0} and set(panel.series(1).ravel()) == {
        80.0
    }


def test_a_broken_line_is_named(read_lines):
    with pytest.raises(
        lc.DataError, match=r"line 25 is not a point .* with a time: 'cpu load=5'"
    ):
        read_lines(lines("cpu load={} {}") + "cpu load=5\n")


def test_a_large_file_is_read_too(read_lines, monkeypatch):
    monkeypatch.setattr("lstmcast.data.files.formats.LARGE", 100)
    assert read_lines(lines("cpu,a=b,c=d load={} {}")).values.ravel().tolist() == VALUES
