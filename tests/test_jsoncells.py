"""JSON whose cells stand in boxes, and other shapes of charts, data bases and spreadsheets."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pytest

import lstmcast as lc

DAYS = [date(2024, 1, 20) + timedelta(days=day) for day in range(30)]
VALUES = [float(5 + 7 * n % 13) for n in range(30)]
OTHERS = [float(90 + 5 * n % 11) for n in range(30)]
PAIRS = list(zip(DAYS, VALUES, strict=True))
PAIRS_OF_TEXTS = [(str(day), str(value)) for day, value in PAIRS]


def read(tmp_path, document, **options):
    path = tmp_path / "data.json"
    text = document if isinstance(document, str) else json.dumps(document)
    path.write_text(text, encoding="utf-8")
    return lc.read(path, **options)


def check(panel):
    assert (len(panel), panel.values.tolist()) == (1, VALUES)
    assert str(panel.starts[0])[:10] == "2024-01-20"


def of_google(form="Date({},{},{})"):
    columns = [
        {"id": "a", "label": "Date", "type": "date"},
        {"label": "Sales", "type": "number"},
    ]
    rows = []
    for day, value in PAIRS:
        time = form.format(day.year, day.month - 1, day.day)
        rows.append({"c": [{"v": time, "f": str(day)}, {"v": value}]})
    return {"cols": columns, "rows": rows}


@pytest.mark.parametrize(
    "form", ["Date({},{},{})", "Date({}, {}, {})", "new Date({},{},{})"]
)
def test_a_table_of_google_charts(tmp_path, form):
    check(read(tmp_path, of_google(form)))


def test_clock_times_of_google_charts(tmp_path):
    form = "Date({},{},{},13,30,0)"
    panel = read(tmp_path, {"version": "0.6", "table": of_google(form)})
    assert str(panel.starts[0])[:16] == "2024-01-20T13:30"


WRAPPERS = [
    "/*O_o*/\ngoogle.visualization.Query.setResponse({});",
    "callback({});",
    "({})",
    "var data = {};",
    "const a.b = {}",
]


@pytest.mark.parametrize(
    "wrapper", [WRAPPERS[0], WRAPPERS[1], WRAPPERS[3], WRAPPERS[4]]
)
def test_a_document_in_a_call_or_a_variable(tmp_path, wrapper):
    check(read(tmp_path, wrapper.replace("{}", json.dumps({"table": of_google()}))))


BOXED = {
    "BigQuery": {
        "schema": {"fields": [{"name": "day"}, {"name": "n"}]},
        "rows": [{"f": [{"v": str(d)}, {"v": str(v)}]} for d, v in PAIRS],
    },
    "Athena": {
        "Rows": [
            {"Data": [{"VarCharValue": cell} for cell in cells]}
            for cells in [
                ("day", "n"),
                *((str(d), str(v)) for d, v in PAIRS),
            ]
        ]
    },
    "PxWeb": {
        "columns": [
            {"code": "Tid", "text": "tid"},
            {"code": "BE", "text": "Befolkning"},
        ],
        "data": [{"key": [str(d)], "values": [str(v)]} for d, v in PAIRS],
    },
}
SHAPES = {
    "split with times": {
        "columns": ["y"],
        "index": [str(day) for day in DAYS],
        "data": [[value] for value in VALUES],
    },
    "ids as keys": {
        f"-M{n:05d}x": {"date": str(d), "v": v} for n, (d, v) in enumerate(PAIRS)
    },
    "one series of ECharts": {
        "xAxis": {"type": "category", "data": [str(day) for day in DAYS]},
        "yAxis": {"type": "value"},
        "series": [{"data": VALUES, "type": "line"}],
    },
    "a date in three fields": [
        {"date": {"year": d.year, "month": d.month, "day": d.day}, "v": v}
        for d, v in PAIRS
    ],
    "keys in a list": {
        "rows": [{"keys": [str(d)], "clicks": v} for d, v in PAIRS],
    },
    "coordinates": [{"at": [13.4, 52.5], "day": str(d), "pm": v} for d, v in PAIRS],
    "numbers of entries": {
        "feeds": [
            {"created_at": f"{d}T00:00:00Z", "entry_id": n, "field1": str(v)}
            for n, (d, v) in enumerate(PAIRS)
        ]
    },
    "times of creation beside dates": [
        {
            "createdTime": f"2024-05-01T00:00:{n % 60:02d}Z",
            "fields": {"Date": str(d), "v": v},
        }
        for n, (d, v) in enumerate(PAIRS)
    ],
}


@pytest.mark.parametrize("name", BOXED)
def test_cells_in_boxes(tmp_path, name):
    check(read(tmp_path, {"wrapped": BOXED[name]}))


@pytest.mark.parametrize("name", SHAPES)
def test_other_shapes(tmp_path, name):
    check(read(tmp_path, SHAPES[name]))


def test_terms_of_each_day_of_elasticsearch(tmp_path):
    days = []
    for day, value, other in zip(DAYS, VALUES, OTHERS, strict=True):
        terms = [
            {"key": "A", "doc_count": int(value)},
            {"key": "B", "doc_count": int(other)},
        ]
        days.append(
            {"key_as_string": str(day), "doc_count": 500, "shops": {"buckets": terms}}
        )
    panel = read(tmp_path, {"aggregations": {"per_day": {"buckets": days}}})
    assert panel.ids.tolist() == ["A", "B"]
    assert np.array_equal(panel.values, [*VALUES, *OTHERS])


def test_records_that_only_look_boxed_stay_records(tmp_path):
    series = [
        {
            "label": name,
            "data": [
                {"day": str(d), "value": v} for d, v in zip(DAYS, values, strict=True)
            ],
        }
        for name, values in (("a", VALUES), ("b", OTHERS))
    ]
    assert read(tmp_path, {"result": {"data": series}}).ids.tolist() == ["a", "b"]
