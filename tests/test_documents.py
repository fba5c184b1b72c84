"""TOML, YAML, and records as blocks of lines."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

import lstmcast as lc
from lstmcast.data.files.documents import document_of

DAYS = [date(2023, 1, 2) + timedelta(n) for n in range(30)]
VALUES = [100.5 + 7 * n % 31 for n in range(30)]
PAIRS = list(zip(DAYS, VALUES, strict=True))


def each(form):
    return "".join(form.format(day, value) for day, value in PAIRS)


def in_brackets(values):
    return f"[{', '.join(map(str, values))}]"


FORMS = {
    "list": each("- day: {0}\n  sold: {1}\n"),
    "below a key": "# sales\ntitle: Sales\ndata:\n"
    + each("  - day: '{0}'\n    sold: {1}\n"),
    "in brackets": each("- {{day: {0}, sold: {1}}}\n"),
    "columns": f"day: {in_brackets(DAYS)}\nsold: {in_brackets(VALUES)}\n",
    "columns below": f"day:\n{each('- {0}%')}sold:\n{each('- {1}%')}".replace(
        "%", "\n"
    ),
    "documents": each("---\nday: {0}\nsold: {1}\n"),
    "blocks": each("day: {0}\nsold: {1}\n\n"),
    "equals": each("day = {0}\nsold = {1}\n"),
    "rules": each("*** Record 1 ***\n  day: {0}\n sold: {1}\n"),
    "psql": each("-[ RECORD 1 ]----\nday  | {0}\nsold | {1}\n"),
    "mysql": each("******* 1. row *******\n day: {0}\nsold: {1}\n"),
    "toml": 'title = "Sales"\n' + each("\n[[sale]]\nday = {0}\nsold = {1}\n"),
    "toml columns": f"[data]\nday = {in_brackets(map(repr, map(str, DAYS)))}\n"
    f"sold = {in_brackets(VALUES)}\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_records(name, tmp_path):
    path = tmp_path / "sales.txt"
    path.write_text(FORMS[name])
    panel = lc.read(path)
    assert panel.columns.target == "sold"
    assert (panel.frequency.code, str(panel.starts[0])[:10]) == ("D", "2023-01-02")
    assert panel.values.tolist() == VALUES


@pytest.mark.parametrize("form", ["{0}: {1}\n", '"{0}" = {1}\n'])
def test_values_by_day(form, tmp_path):
    path = tmp_path / "sales.yaml"
    path.write_text(each(form))
    assert lc.read(path).values.tolist() == VALUES


def test_blocks_of_two_series(tmp_path):
    path = tmp_path / "stations.txt"
    blocks = [each(f"station: {name}\nday: {{0}}\nlevel: {{1}}\n\n") for name in "AB"]
    path.write_text("".join(blocks))
    panel = lc.read(path)
    assert panel.ids.tolist() == ["A", "B"]
    assert panel.values.tolist() == 2 * VALUES


@pytest.mark.parametrize(
    "text",
    [
        "day,sold\n2024-01-01,5\n",
        "sep=;\nday;sold\n2024-01-01;5\n",
        "a|5\nb|6\na|7\nb|8\n",
        "Report: sales\nfor: us\nday,sold\n2024-01-01,5\n",
        "- day: &first 2024-01-01\n  sold: 5\n- day: *first\n  sold: 6\n",
        "note: |\n  many\n  lines\nsold: 5\n",
    ],
)
def test_other_texts(text):
    assert document_of(text) is None


def test_a_deep_document_is_none():
    assert document_of("".join(f"{' ' * n}a{n}:\n" for n in range(500))) is None
