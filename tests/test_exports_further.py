"""Files as offices, exchanges and services give them out: forms of calendars, codes, documents and
clock changes."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc

THREE_MONTHS = [
    *("DJF", "JFM", "FMA", "MAM", "AMJ", "MJJ"),
    *("JJA", "JAS", "ASO", "SON", "OND", "NDJ"),
]
YEARS = range(2019, 2022)
MONTHLY = [10.5 + n for n in range(36)]


def values_of(panel):
    return panel.values.tolist()


def start_of(panel):
    return str(panel.starts[0])[:16]


def test_running_means_of_three_months_stand_for_the_middle_one(read_lines):
    rows = [
        f"{name},{year},{MONTHLY[12 * (year - 2019) + place]}"
        for year in YEARS
        for place, name in enumerate(THREE_MONTHS)
    ]
    panel = read_lines(["SEAS,YR,ANOM", *rows])
    assert (panel.frequency.code, start_of(panel)) == ("MS", "2019-01-01T00:00")
    assert values_of(panel) == MONTHLY


def test_running_means_across_the_columns(read_lines):
    rows = [
        f"{year}," + ",".join(map(str, MONTHLY[12 * n : 12 * n + 12]))
        for n, year in enumerate(YEARS)
    ]
    panel = read_lines(["Year," + ",".join(THREE_MONTHS), *rows])
    assert (panel.frequency.code, values_of(panel)) == ("MS", MONTHLY)


@pytest.mark.parametrize(
    "form", ["{}시", "{}時", "{}点", "Hour {}", "hours of the day/{}"]
)
def test_hours_across_in_other_spellings(form, read_lines):
    names = ",".join(form.format(hour) for hour in range(1, 25))
    rows = [
        f"2024-03-0{day}," + ",".join(str(24 * day + h) for h in range(24))
        for day in (1, 2, 3)
    ]
    panel = read_lines([f"day,{names}", *rows])
    assert (panel.frequency.code, start_of(panel)) == ("h", "2024-03-01T00:00")
    assert values_of(panel) == list(range(24, 96))


@pytest.mark.parametrize(
    "form", ["{year}. {month:02d}", "{year}. {month}.", "{year}.{month:02d}"]
)
def test_korean_months_as_headings(form, read_lines):
    names = [form.format(year=2022 + n // 12, month=n % 12 + 1) for n in range(24)]
    values = ",".join(map(str, range(24)))
    panel = read_lines(["region," + ",".join(names), f"a,{values}", f"b,{values}"])
    assert (panel.frequency.code, panel.lengths.tolist()) == ("MS", [24, 24])


CODES = {
    "MS": [f"{2022 + n // 12}00{n % 12 + 1:02d}{n % 12 + 1:02d}" for n in range(24)],
    "QS": [
        f"{2018 + n // 4}00{3 * (n % 4) + 1:02d}{3 * (n % 4) + 3:02d}"
        for n in range(24)
    ],
    "YS": [f"{1990 + n}100000" for n in range(24)],
}


@pytest.mark.parametrize("frequency", CODES)
def test_codes_of_times_of_e_stat(frequency, read_lines):
    rows = [f"{code},{n}" for n, code in enumerate(CODES[frequency])]
    panel = read_lines(["time_code,value", *rows])
    assert (panel.frequency.code, values_of(panel)) == (frequency, list(range(24)))


def write(tmp_path, document):
    path = tmp_path / "data.json"
    path.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    return path


def entries(names):
    return [{"@code": code, "@name": name} for code, name in names.items()]


@pytest.mark.parametrize("areas", [{"0": "全国"}, {"0": "全国", "13": "東京都"}])
def test_cells_of_e_stat_have_the_names_of_their_codes(areas, tmp_path):
    times = {f"202300{m:02d}{m:02d}": f"2023年{m}月" for m in range(1, 13)}
    cells = [
        {"@tab": "1", "@area": area, "@time": time, "@unit": "人", "$": str(n)}
        for area in areas
        for n, time in enumerate(times)
    ]
    classes = [
        {
            "@id": "area",
            "CLASS": entries(areas) if len(areas) > 1 else entries(areas)[0],
        },
        {"@id": "time", "CLASS": entries(times)},
    ]
    data = {"CLASS_INF": {"CLASS_OBJ": classes}, "DATA_INF": {"VALUE": cells}}
    path = write(tmp_path, {"GET_STATS_DATA": {"STATISTICAL_DATA": data}})
    panel = lc.read(path)
    assert (panel.frequency.code, panel.lengths.tolist()) == ("MS", [12] * len(areas))
    assert len(areas) == 1 or panel.ids.tolist() == list(areas.values())


@pytest.mark.parametrize("name", ["OBJECTID", "FID", "oid"])
def test_ids_of_geographic_records_are_no_target(name, tmp_path):
    features = [
        {"attributes": {name: n + 1, "DAY": f"2024-03-{n + 1:02d}", "CASES": 5 * n % 7}}
        for n in range(20)
    ]
    panel = lc.read(write(tmp_path, {"features": features}))
    assert panel.columns.target == "attributes.CASES"


@pytest.mark.parametrize("field", ["revenue", "REVENUE", "revenue.value"])
def test_a_nested_column_is_named_by_a_part_of_its_name(field, tmp_path):
    buckets = [
        {"key_as_string": f"2024-03-{n:02d}", "doc_count": 3, "revenue": {"value": n}}
        for n in range(1, 21)
    ]
    path = write(tmp_path, {"aggregations": {"days": {"buckets": buckets}}})
    assert values_of(lc.read(path, target=field)) == list(range(1, 21))


@pytest.mark.parametrize("order", [("close", "AAPL"), ("AAPL", "close")])
def test_one_of_two_levels_of_names_is_all_of_its_columns(order):
    pairs = [("open", "AAPL"), ("open", "MSFT"), ("close", "AAPL"), ("close", "MSFT")]
    levels = pairs if order[0] == "close" else [pair[::-1] for pair in pairs]
    data = pd.DataFrame(
        np.arange(80.0).reshape(20, 4),
        columns=pd.MultiIndex.from_tuples(levels),
        index=pd.bdate_range("2024-01-01", periods=20, name="day"),
    )
    panel = lc.read(data, target="close")
    assert panel.ids.tolist() == ["/".join(level) for level in levels[2:]]
    assert panel.series(0)[0] == 2
    assert len(lc.read(data)) == 4


def autumn_hours():
    """The clock times of three days of Berlin, with the offset of each."""
    first = datetime(2023, 10, 27, 22)  # in UTC
    for n in range(73):
        utc = first + timedelta(hours=n)
        east = 2 if utc < datetime(2023, 10, 29, 1) else 1
        yield utc + timedelta(hours=east), east


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("time,zone,y", "{time:%Y-%m-%d %H:%M},{name},{y}"),
        ("time,offset,y", "{time:%Y-%m-%d %H:%M},+0{east}:00,{y}"),
        ("day,time,zone,y", "{time:%Y-%m-%d},{time:%H:%M},{name},{y}"),
        ("time,y", "{time:%Y-%m-%d %H:%M} {name},{y}"),
        ("time,y", "{time:%d.%m.%Y %H:%M} ({name}),{y}"),
    ],
)
def test_zones_beside_clock_times_tell_hours_apart(header, form, read_lines):
    rows = []
    for n, (time, east) in enumerate(autumn_hours()):
        name = {2: "CEST", 1: "CET"}[east]
        rows.append(form.format(time=time, name=name, east=east, y=n))
    panel = read_lines([header, *rows])
    assert (start_of(panel), values_of(panel)) == ("2023-10-27T22:00", list(range(73)))
    assert any("UTC" in finding.message for finding in panel.report.findings)


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("time,y", "{time:%Y-%m-%d %H:%M},{y}"),
        ("time,y", "{time:%d.%m.%Y %H:%M} - {next:%d.%m.%Y %H:%M},{y}"),
        ("day,hour,y", "{time:%Y-%m-%d},{hour},{y}"),
        ("day,hour,y", "{time:%Y-%m-%d},{number},{y}"),
    ],
)
def test_an_hour_that_comes_twice_is_its_mean_with_a_warning(header, form, read_lines):
    rows, hours = [], [time for time, _ in autumn_hours()]
    for n, time in enumerate(hours):
        number = n - sum(other.date() < time.date() for other in hours) + 1
        text = form.format(
            time=time,
            next=time + timedelta(hours=1),
            hour=time.hour,
            number=number,
            y=float(n),
        )
        rows.append(text)
    panel = read_lines([header, *rows])
    assert panel.lengths.tolist() == [72]
    assert panel.values[26:28].tolist() == [26.5, 28]
    warnings = [f for f in panel.report.findings if f.severity == "warning"]
    assert any("clocks are set back" in finding.action for finding in warnings)


@pytest.mark.parametrize(
    ("slots", "gap"), [(24, [26]), (48, [50, 51]), (96, [104, 105, 106, 107])]
)
def test_numbered_slots_of_a_short_day_leave_out_the_skipped_hour(
    slots, gap, read_lines
):
    rows = []
    for day, count in ((25, slots), (26, slots * 23 // 24), (27, slots)):
        rows += [f"2023-03-{day},{slot},{slot}" for slot in range(1, count + 1)]
    panel = read_lines(["Settlement Date,Settlement Period,y", *rows])
    assert len(panel.values) == 3 * slots
    assert np.flatnonzero(np.isnan(panel.values)).tolist() == gap


@pytest.mark.parametrize(
    ("east", "name"), [(timedelta(hours=-5), "begin_ept"), (timedelta(hours=9), "JST")]
)
def test_of_utc_and_local_times_the_local_ones_are_taken(east, name, read_lines):
    rows = []
    for n in range(48):
        utc = datetime(2024, 1, 5) + timedelta(hours=n)
        rows.append(f"{utc:%Y-%m-%d %H:%M},{utc + east:%Y-%m-%d %H:%M},{n}")
    panel = read_lines([f"begin_utc,{name},mw", *rows])
    assert panel.columns.time == name


def test_of_utc_and_local_times_utc_is_taken_over_a_change_of_clocks(read_lines):
    rows = []
    for n, (time, east) in enumerate(autumn_hours()):
        utc = time - timedelta(hours=east)
        rows.append(f"{utc:%Y-%m-%dT%H:%M},{time:%Y-%m-%dT%H:%M},{n}")
    panel = read_lines(["HourUTC,HourDK,price", *rows])
    assert values_of(panel) == list(range(73))


@pytest.mark.parametrize(
    "form", ["{:02d}00 UTC", "{:02d} UTC", "{}h", "{:02d}\xa0-\xa0{}"]
)
def test_hours_with_a_word_behind_them(form, read_lines):
    rows = []
    for day in (1, 2, 3):
        for hour in range(24):
            text = form.format(hour, f"{(hour + 1) % 24:02d}")
            rows.append(f"{day:02d}-03-2024,{text},{hour}")
    panel = read_lines(["Datum,Hora,y", *rows])
    assert (panel.frequency.code, len(panel.values)) == ("h", 72)


def test_days_counted_from_a_date_in_the_title(read_lines):
    titles = ["# Report", "# Start date: 20240101", "# End date: 20240130"]
    rows = [f"{n:04d},{50 + n % 7}" for n in range(30)]
    panel = read_lines([*titles, "Nth day,Active users", *rows])
    assert (panel.frequency.code, start_of(panel)) == ("D", "2024-01-01T00:00")


def test_months_that_end_in_r_beside_marked_ones(read_lines):
    names = "januari februari maart april mei juni juli augustus september oktober november "
    names = (names + "december").split()
    labels = [f"{year} {name}" for year in (2022, 2023) for name in names]
    labels[21:] = [f"{label}*" for label in labels[21:]]
    panel = read_lines(
        ["Perioden,y", *[f"{label},{n}" for n, label in enumerate(labels)]]
    )
    assert values_of(panel) == list(range(24))


def test_a_value_behind_an_underscore_is_the_target(read_lines):
    rows = [
        f"{table},2024-01-01T{n:02d}:00:00Z,{n + table},h{table}"
        for table in (0, 1)
        for n in range(20)
    ]
    panel = read_lines(["table,_time,_value,host", *rows])
    assert (panel.columns.target, len(panel)) == ("_value", 2)


def test_dates_stay_where_no_column_names_zones(read_lines):
    rows = [
        f"{date(2024, 1, 1) + timedelta(n)},{'EST' if n % 2 else 'EDT'},{n}"
        for n in range(9)
    ]
    assert start_of(read_lines(["day,zone,y", *rows])) == "2024-01-01T00:00"


@pytest.mark.parametrize("header", ["Financial Year,Month", "Tax year,month"])
def test_months_of_financial_years_in_order(header, read_lines):
    names = ["July", "August", "September", "October", "November", "December"]
    names += ["January", "February", "March", "April", "May", "June"]
    rows = []
    for year in (2020, 2021, 2022):
        rows += [
            f"{year}-{year % 100 + 1},{name},{len(rows) + n}"
            for n, name in enumerate(names)
        ]
    panel = read_lines([f"{header},Sales", *rows])
    assert (start_of(panel), values_of(panel)) == ("2020-07-01T00:00", list(range(36)))


@pytest.mark.parametrize(
    "names",
    [
        "I kw.;II kw.;III kw.;IV kw.",
        "1. čtvrtletí;2. čtvrtletí;3. čtvrtletí;4. čtvrtletí",
    ],
)
def test_quarters_across_in_words(names, read_lines):
    rows = [
        f"{year};" + ";".join(str(4 * year + n) for n in range(4)) for year in YEARS
    ]
    panel = read_lines([f"rok;{names}", *rows])
    assert (panel.frequency.code, values_of(panel)) == ("QS", list(range(8076, 8088)))


@pytest.mark.parametrize("form", ["{:.7E}", "{:.9e}", "{:.1f}"])
def test_times_as_spreadsheets_write_large_numbers(form, read_lines):
    rows = [
        f"{form.format(1704067200000.0 + n * 3_600_000)},{n % 7}.5" for n in range(30)
    ]
    panel = read_lines(["ts,y", *rows])
    assert (panel.frequency.code, start_of(panel)) == ("h", "2024-01-01T00:00")


def test_codes_of_names_are_no_target(read_lines):
    rows = [
        f"{code},{name},2022-{month:02d},{month * 7 % 5 + code}"
        for code, name in ((11, "Seoul"), (26, "Busan"))
        for month in range(1, 13)
    ]
    panel = read_lines(["C1,C1_NM,PRD_DE,DT", *rows])
    assert (panel.columns.target, panel.ids.tolist()) == ("DT", ["Seoul", "Busan"])


@pytest.mark.parametrize("form", ["{}", "H{}", "Hour {}", "Ora {}", "{}시"])
def test_twenty_five_hours_across(form, read_lines):
    rows, value = [], 0
    for day, count in ((28, 24), (29, 25), (30, 24)):
        cells = [str(value + n) for n in range(count)]
        value += count
        rows.append(",".join([f"2023-10-{day}", *cells, *[""] * (25 - count)]))
    names = [form.format(hour) for hour in range(1, 26)]
    panel = read_lines([",".join(["day", *names]), *rows])
    assert (panel.frequency.code, panel.lengths.tolist()) == ("h", [72])
    assert panel.values[25:28].tolist() == [25, 26.5, 28]


@pytest.mark.parametrize("slots", [24, 48, 96])
def test_a_short_day_across_leaves_out_the_skipped_hour(slots, read_lines):
    rows = []
    for day, count in ((25, slots), (26, slots * 23 // 24), (27, slots)):
        cells = [str(n) for n in range(count)]
        rows.append(",".join([f"2023-03-{day}", *cells, *[""] * (slots - count)]))
    names = [f"QH{slot}" if slots > 24 else f"H{slot}" for slot in range(1, slots + 1)]
    panel = read_lines([",".join(["day", *names]), *rows])
    gap = np.flatnonzero(np.isnan(panel.values))
    assert (len(panel.values), len(gap)) == (3 * slots, slots // 24)
    assert gap[0] == slots + slots // 24 * (1 if slots == 48 else 2)


@pytest.mark.parametrize("days", [5, 40])
def test_columns_without_names_of_years_days_and_hours(days, read_lines):
    rows = [f"2024 {1 + n // 24} {n % 24} {n}.5" for n in range(24 * days)]
    panel = read_lines(rows)
    assert (panel.frequency.code, panel.lengths.tolist()) == ("h", [24 * days])


@pytest.mark.parametrize(
    "names",
    ["order_year,order_month", "date_extract_y,date_extract_m", "dt_YEAR,dt_MONTH"],
)
def test_parts_of_times_with_the_same_words_before_them(names, read_lines):
    rows = [
        f"{year},{month},{12 * year + month}"
        for year in YEARS
        for month in range(1, 13)
    ]
    panel = read_lines([f"{names},rides", *rows])
    assert (panel.frequency.code, len(panel), len(panel.values)) == ("MS", 1, 36)


@pytest.mark.parametrize(
    "form", ["{serial},{fraction:.6f}", "{date:%d.%m.%Y},{fraction:.4f}"]
)
def test_clock_times_as_fractions_of_a_day(form, read_lines):
    rows = []
    for n in range(72):
        day, hour = divmod(n, 24)
        text = form.format(
            serial=45292 + day, date=date(2024, 1, 1 + day), fraction=hour / 24
        )
        rows.append(f"{text},{n}.5")
    panel = read_lines(["Date,Time,Temp", *rows])
    assert (panel.frequency.code, len(panel.values)) == ("h", 72)


def months_ends(start, periods, freq):
    return pd.date_range(start, periods=periods, freq=f"{freq}E")


@pytest.mark.parametrize("make", [months_ends, pd.period_range])
def test_a_dict_of_series_keeps_their_times(make):
    series = {
        "a": pd.Series(np.arange(24.0), index=make("2022-01", periods=24, freq="M")),
        "b": pd.Series(np.arange(16.0), index=make("2022-09", periods=16, freq="M")),
    }
    panel = lc.read(series)
    assert (panel.ids.tolist(), panel.lengths.tolist()) == (["a", "b"], [24, 16])
    assert panel.frequency.family == "monthly"
    alone = lc.read({"a": series["a"]})
    assert (alone.ids.tolist(), alone.lengths.tolist()) == (["a"], [24])


def test_a_dict_of_series_with_a_time_twice_is_refused():
    series = pd.Series(
        [1.0, 2, 3], index=pd.to_datetime(["2024-01-01"] * 2 + ["2024-01-02"])
    )
    with pytest.raises(lc.DataError, match="'a' has two values for 2024-01-01"):
        lc.read({"a": series, "b": series})


@pytest.mark.parametrize(
    ("form", "frequency"),
    [
        ("令和{era}年{first}～{last}月", "QS"),
        ("令和{era}年第{quarter}四半期", "QS"),
        ("令和{era}年度第{quarter}四半期", "QS"),
        ("{year}年/第{quarter}四半期", "QS"),
        ("FY{year}/Q{quarter}", "QS"),
    ],
)
def test_quarters_of_years_of_eras_as_headings(form, frequency, read_lines):
    names = []
    for n in range(8):
        year, quarter = divmod(n, 4)
        first = 3 * quarter + 1
        text = form.format(
            era=year + 4,
            year=year + 2022,
            first=first,
            last=first + 2,
            quarter=quarter + 1,
        )
        names.append(text)
    values = ",".join(map(str, range(8)))
    panel = read_lines([",".join(["item", *names]), f"a,{values}", f"b,{values}"])
    assert (panel.frequency.code, start_of(panel)) == (frequency, "2022-01-01T00:00")
    assert panel.lengths.tolist() == [8, 8]


@pytest.mark.parametrize("month", ["{}月", "{}月分", "Jan"])
def test_years_above_months_of_japanese_tables(month, read_lines):
    months = [month.format(n) for n in range(1, 13)]
    if month == "Jan":
        months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct"]
        months += ["Nov", "Dec"]
    years = ["2022年", *[""] * 11, "2023年", *[""] * 11]
    values = ",".join(map(str, range(24)))
    lines = [",".join(["区分", *years]), ",".join(["", *months * 2])]
    panel = read_lines([*lines, f"北海道,{values}", f"東北,{values}"])
    assert (panel.frequency.code, panel.lengths.tolist()) == ("MS", [24, 24])


@pytest.mark.parametrize("name", ["t", "ts", "dt", "at"])
def test_stamps_of_business_days_under_a_short_name(name, tmp_path):
    days = pd.bdate_range("2024-01-01", periods=30, tz="UTC")
    bars = [
        {"v": 1.0 + n % 3, "c": 100 + n, name: int(day.timestamp() * 1000)}
        for n, day in enumerate(days)
    ]
    panel = lc.read(write(tmp_path, {"results": bars}), target="c")
    assert (panel.frequency.code, panel.columns.time) == ("B", name)


@pytest.mark.parametrize(
    "stamp",
    [
        {"$date": "2024-01-01T{:02d}:00:00Z"},
        {"$date": {"$numberLong": "17040672{:02d}000"}},
    ],
)
def test_values_with_their_types_of_mongo_db(stamp, tmp_path):
    template = json.dumps(stamp)
    records = [
        {
            "_id": {"$oid": f"65{n:022d}"},
            "ts": json.loads(template.replace("{:02d}", f"{n:02d}")),
            "riders": {"$numberInt": str(100 + n)},
        }
        for n in range(24)
    ]
    panel = lc.read(write(tmp_path, records))
    assert (panel.columns.time, panel.columns.target) == ("ts", "riders")


@pytest.mark.parametrize(
    ("large", "small", "unit"),
    [("億", "万", "円"), ("亿", "万", "元"), ("억", "만", "원")],
)
def test_numbers_with_two_sizes_of_east_asia(large, small, unit, read_lines):
    amounts = [f"{n}{large}{2000 + n}{small}{unit}" for n in range(1, 10)]
    amounts += [f"{n}00{small}{unit}" for n in range(1, 4)]
    rows = [f"2023-{n + 1:02d},{amount}" for n, amount in enumerate(amounts)]
    panel = read_lines(["month,amount", *rows])
    expected = [n * 1e8 + (2000 + n) * 1e4 for n in range(1, 10)]
    assert values_of(panel) == [*expected, 1e6, 2e6, 3e6]


@pytest.mark.parametrize("target", [None, "event"])
def test_events_are_counted_without_a_column_of_numbers(target, read_lines):
    rows = [
        f"2024-03-{1 + n // 5:02d} {n % 5 + 8:02d}:{n % 60:02d},{'click' if n % 5 else ''}"
        for n in range(60)
    ]
    panel = read_lines(
        ["time,event", *rows], aggregate="count", frequency="D", target=target
    )
    assert values_of(panel) == [4.0 if target else 5.0] * 12


def test_events_of_several_kinds_are_counted_by_kind(read_lines):
    rows = [f"2024-03-{1 + n // 6:02d} 08:{n:02d},{'ab'[n % 2]}" for n in range(60)]
    options = {"aggregate": "count", "frequency": "D", "series": "kind"}
    panel = read_lines(["time,kind", *rows], **options)
    assert (panel.ids.tolist(), values_of(panel)) == (["a", "b"], [3.0] * 20)


def test_a_saved_model_counts_newer_events(tmp_path):
    days = [f"2024-03-{1 + n // 6:02d} 08:{n % 60:02d}" for n in range(120)]
    events = pd.DataFrame({"time": days, "kind": "x"})
    panel = lc.read(events[:90], aggregate="count", frequency="D")
    lc.LSTMForecaster(horizon=2).save(tmp_path / "model", panel)
    forecast = lc.load(tmp_path / "model").predict(events[90:])
    assert str(forecast.times[0][0])[:10] == "2024-03-21"


def test_events_are_summed_only_where_there_is_something_to_sum(read_lines):
    rows = [f"2024-03-{1 + n // 6:02d} 08:{n:02d},x" for n in range(60)]
    with pytest.raises(lc.DataError, match="no numeric column"):
        read_lines(["time,kind", *rows], aggregate="sum", frequency="D")


@pytest.mark.parametrize(
    ("form", "years"),
    [
        ("{year}A", range(1990, 2010)),
        ("{year}E", range(1990, 2010)),
        ("{year}*", range(1990, 2010)),
        ("A{year}", range(1990, 2010)),
        ("{year}-{next:02d}E", range(1990, 2010)),
    ],
)
def test_years_that_all_carry_a_mark(form, years, read_lines):
    rows = [
        f"{form.format(year=year, next=(year + 1) % 100)},{n % 7}.5"
        for n, year in enumerate(years)
    ]
    panel = read_lines(["Period,y", *rows])
    assert (panel.frequency.code, start_of(panel)) == ("YS", "1990-01-01T00:00")


@pytest.mark.parametrize(
    "form", ["{year}0{quarter}", "{year}-0{quarter}", "{year}/0{quarter}"]
)
def test_two_digits_that_are_never_above_four_are_quarters(form, read_lines):
    rows = [
        f"{form.format(year=1998 + n // 4, quarter=n % 4 + 1)},{n}.5" for n in range(40)
    ]
    panel = read_lines(["Period,y", *rows])
    assert (panel.frequency.code, panel.lengths.tolist()) == ("QS", [40])


def test_months_to_april_of_one_winter_stay_months(read_lines):
    rows = [f"2024-0{n + 1},{n}.5" for n in range(4)]
    assert read_lines(["Period,y", *rows]).frequency.code == "MS"


@pytest.mark.parametrize(
    ("form", "code"),
    [("{:%Y-%m-%dT%H:%M}–{:%H:%M}", "h"), ("{:%Y-%m-%d %H:%M}-{:%H:%M}", "h")],
)
def test_ranges_of_clock_times_behind_a_day(form, code, read_lines):
    times = [datetime(2024, 1, 13) + timedelta(hours=n) for n in range(72)]
    rows = [
        f"{form.format(time, time + timedelta(hours=1))},{n}.5"
        for n, time in enumerate(times)
    ]
    panel = read_lines(["period,y", *rows])
    assert (panel.frequency.code, panel.lengths.tolist()) == (code, [72])


def test_short_years_and_months_with_a_point(read_lines):
    rows = [f"{95 + n // 12}.{n % 12 + 1:02d},{n}.5" for n in range(48)]
    panel = read_lines(["Period,y", *rows])
    assert (panel.frequency.code, start_of(panel)) == ("MS", "1995-01-01T00:00")


def test_records_and_mappings_in_memory():
    days = [f"2024-03-{n:02d}" for n in range(1, 21)]
    records = [{"day": day, "y": n} for n, day in enumerate(days)]
    panel = lc.read(records)
    assert (panel.frequency.code, values_of(panel)) == ("D", list(range(20)))
    a = dict(zip(days, range(20), strict=True))
    b = dict(zip(days[5:], range(15), strict=True))
    panel = lc.read({"a": a, "b": b})
    assert (panel.ids.tolist(), panel.lengths.tolist()) == (["a", "b"], [20, 15])


@pytest.mark.parametrize("wide", [False, True])
def test_a_named_index_of_years(wide):
    years = pd.Index(range(1990, 2010), name="year")
    data = pd.Series(np.arange(20.0), index=years, name="gdp")
    if wide:
        data = pd.DataFrame({"JP": data, "KR": 2 * data})
    panel = lc.read(data, target="*") if wide else lc.read(data)
    assert (panel.frequency.code, start_of(panel)) == ("YS", "1990-01-01T00:00")
