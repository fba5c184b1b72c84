"""JSON that holds several series, as monitoring, markets and statistical offices write it."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

import lstmcast as lc

A = [100.0 + n % 7 for n in range(24)]
B = [50.0 + n % 5 for n in range(24)]
MONTHS = [f"{2022 + n // 12}-{n % 12 + 1:02d}" for n in range(24)]
FIRST = 1672531200  # 2023-01-01 in seconds
MINUTES = [FIRST + 60 * n for n in range(24)]


def pairs(values):
    return [list(pair) for pair in zip(MINUTES, values, strict=True)]


def records(values):
    return [{"month": month, "n": n} for month, n in zip(MONTHS, values, strict=True)]


def periods(values):
    texts = [month.split("-") for month in MONTHS]
    numbered = zip(texts, values, strict=True)
    return [
        {"year": year, "period": f"M{month}", "value": str(n), "footnotes": [{}]}
        for (year, month), n in reversed(list(numbered))
    ]


def category(codes):
    return {"category": {"index": {code: place for place, code in enumerate(codes)}}}


def prometheus(host, values):
    texts = [[time, str(value)] for time, value in pairs(values)]
    return {"metric": {"__name__": "up", "host": host}, "values": texts}


CUBE = {
    "class": "dataset",
    "id": ["freq", "geo", "time"],
    "size": [1, 2, 24],
    "dimension": {
        "freq": category(["M"]),
        "geo": category("ab"),
        "time": category(MONTHS),
    },
    "value": {str(n): value for n, value in enumerate(A + B)},
}
SDMX_SERIES = [
    {"id": "FREQ", "values": [{"id": "M"}]},
    {"id": "GEO", "values": [{"id": "a"}, {"id": "b"}]},
]
TIME_PERIODS = [{"id": "TIME_PERIOD", "values": [{"id": month} for month in MONTHS]}]
SDMX = {
    "dataSets": [
        {
            "series": {
                f"0:{place}": {
                    "observations": {str(n): [y, 0] for n, y in enumerate(values)}
                }
                for place, values in enumerate((A, B))
            }
        }
    ],
    "structure": {"dimensions": {"series": SDMX_SERIES, "observation": TIME_PERIODS}},
}
TWO = {
    "Prometheus": {"data": {"result": [prometheus("a", A), prometheus("b", B)]}},
    "Grafana": [
        {"target": name, "datapoints": [[value, time] for time, value in pairs(values)]}
        for name, values in (("a", A), ("b", B))
    ],
    "InfluxDB": {
        "results": [
            {
                "statement_id": 0,
                "series": [
                    {
                        "name": "cpu",
                        "tags": {"host": host},
                        "columns": ["time", "mean"],
                        "values": pairs(values),
                    }
                    for host, values in (("a", A), ("b", B))
                ],
            }
        ]
    },
    "Datadog": {
        "series": [
            {"metric": "cpu", "scope": scope, "pointlist": pairs(values)}
            for scope, values in (("a", A), ("b", B))
        ]
    },
    "CloudWatch": {
        "MetricDataResults": [
            {"Label": name, "Timestamps": MINUTES, "Values": values}
            for name, values in (("a", A), ("b", B))
        ]
    },
    "Elasticsearch": {
        "aggregations": {
            "hosts": {
                "buckets": [
                    {"key": name, "per_month": {"buckets": records(values)}}
                    for name, values in (("a", A), ("b", B))
                ]
            }
        }
    },
    "BLS": {
        "Results": {
            "series": [
                {"seriesID": name, "data": periods(values)}
                for name, values in (("a", A), ("b", B))
            ]
        }
    },
    "lists of records by name": {"a": records(A), "b": records(B)},
    "lists of pairs by name": {"meta": {"pages": 1}, "a": pairs(A), "b": pairs(B)},
    "JSON-stat": CUBE,
    "JSON-stat 1": {"dataset": CUBE | {"value": A + B}},
    "SDMX-JSON": SDMX,
    "SDMX-JSON 2": {
        "data": {"dataSets": SDMX["dataSets"], "structures": [SDMX["structure"]]}
    },
}
ONE = {
    "Prometheus": {"data": {"result": [prometheus("a", A)]}},
    "Yahoo": {
        "chart": {
            "result": [
                {
                    "meta": {"symbol": "X"},
                    "timestamp": MINUTES,
                    "indicators": {"quote": [{"close": A}]},
                }
            ]
        }
    },
    "categories of a chart": {
        "xAxis": {"categories": MONTHS},
        "series": [{"name": "sales", "data": A}],
    },
    "labels of a chart": {
        "labels": MONTHS,
        "datasets": [{"label": "sales", "data": A}],
    },
    "EIA": {
        "series": [
            {"series_id": "X", "end": "2023-12", "data": [*zip(MONTHS, A, strict=True)]}
        ]
    },
    "Google Analytics": {
        "metricHeaders": [{"name": "users"}],
        "rows": [
            {"dimensionValues": [{"value": month}], "metricValues": [{"value": str(n)}]}
            for month, n in zip(MONTHS, A, strict=True)
        ],
    },
    "one dimension": CUBE | {"id": ["time"], "size": [24], "value": A},
    "a date beside its milliseconds": [
        {
            "key_as_string": str(date(2023, 1, 1 + n)),
            "key": 1000 * FIRST + 86_400_000 * n,
            "count": y,
        }
        for n, y in enumerate(A)
    ],
}


@pytest.fixture
def read_json(tmp_path):
    def reading(document, **options):
        path = tmp_path / "data.json"
        path.write_text(json.dumps(document))
        return lc.read(path, **options)

    return reading


@pytest.mark.parametrize("form", TWO)
def test_all_series_of_a_document_are_read(form, read_json):
    panel = read_json(TWO[form])
    assert panel.ids.tolist() == ["a", "b"]
    assert panel.values.ravel().tolist() == A + B
    assert str(panel.times(1)[0])[:10] in ("2022-01-01", "2023-01-01")


@pytest.mark.parametrize("form", ONE)
def test_a_series_inside_of_a_document(form, read_json):
    panel = read_json(ONE[form])
    assert len(panel) == 1 and panel.values.ravel().tolist() == A


def test_lists_in_records_that_have_a_time_of_their_own_stay_where_they_are(read_json):
    rows = [
        {"month": month, "sales": 5 + n, "hours": pairs(A)}
        for n, month in enumerate(MONTHS)
    ]
    assert read_json(rows).values[:2].ravel().tolist() == [5, 6]


def test_a_cell_that_a_cube_leaves_out_is_missing(read_json):
    values = {place: value for place, value in CUBE["value"].items() if place != "3"}
    panel = read_json(CUBE | {"value": values})
    assert panel.values[4] == A[4] and np.isnan(panel.values[3])


@pytest.mark.parametrize(
    "document",
    [
        {"dimension": {"geo": 5}, "value": 7, "rows": records(A)},
        {
            "dimension": "geo",
            "value": [5],
            "id": ["a"],
            "size": [1],
            "rows": records(A),
        },
        {"dataSets": 5, "rows": records(A)},
        {"dataSets": [{"series": {"0": {}}}], "structure": {}, "rows": records(A)},
    ],
)
def test_fields_that_are_called_as_in_a_cube_are_no_cube(document, read_json):
    assert read_json(document).values.ravel().tolist() == A
