"""Files whose times, names or values stand where one would not look for them: weeks of months,
years in names, values below times, dumps of databases, tables below each other."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc
from lstmcast.errors import DataError

MONTHS = [date(2018 + n // 12, n % 12 + 1, 1) for n in range(24)]
DAYS = [date(2023, 2, 20) + timedelta(n) for n in range(40)]
MONDAYS = [date(2019, 1, 7) + timedelta(7 * n) for n in range(110)]
HOURS = [datetime(2024, 3, 1) + timedelta(hours=n) for n in range(400)]
VALUES = [100.5 + 7 * n % 31 for n in range(400)]
NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct"]
NAMES += ["Nov", "Dec"]


def read_as(panel):
    return panel.frequency.code, str(panel.starts[0])[:10], panel.values.tolist()


def rows_of(form, times, mark=";", **further):
    """Lines of a label, as a form has it, and a value."""
    return [
        f"{form.format(time, **further)}{mark}{value}"
        for time, value in zip(times, VALUES, strict=False)
    ]


def written(folder, name, content):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def joined(values):
    return ",".join(map(str, values))


WEEKLY = ("W-MON", "2019-01-07", VALUES[:110])


@pytest.mark.parametrize(
    "form",
    [
        "{0.year}/{0.month}/{week}週",
        "{0.year}年{0.month}月第{week}週",
        "{0:%b} {0.year} W{week}",
        "{0.year}-{0:%m}-W{week}",
        "Week {week} of {0:%B} {0.year}",
        "{week}. Woche {0:%b} {0.year}",
        "{0:%b} Week {week} {0.year}",
    ],
)
def test_weeks_numbered_in_their_month(form, read_lines):
    rows = [
        f"{form.format(day, week=(day.day - 1) // 7 + 1)};{value}"
        for day, value in zip(MONDAYS, VALUES, strict=False)
    ]
    panel = read_lines(["week;n", *rows])
    assert read_as(panel) == WEEKLY
    assert any("Mondays of their month" in f.message for f in panel.report.findings)


def test_four_weeks_in_every_month_are_asked_about_with_advice_that_works(read_lines):
    rows = [f"{2022 + n // 48}/{n // 4 % 12 + 1}/{n % 4 + 1}週,{n}" for n in range(60)]
    with pytest.raises(DataError, match="time='index', periods=48"):
        read_lines(["週,値", *rows])
    panel = read_lines(["週,値", *rows], time="index", periods=48)
    assert panel.values.tolist() == list(range(60))


@pytest.mark.parametrize("name", ["vecka", "week", "uge", "KW"])
@pytest.mark.parametrize("step", [1, -1])
def test_short_years_and_weeks_that_cross_a_year(name, step, read_lines):
    weeks = [day.isocalendar() for day in MONDAYS]
    rows = [
        f"{w.year % 100:02}{w.week:02},{v}" for w, v in zip(weeks, VALUES, strict=False)
    ]
    assert read_as(read_lines([f"{name},v", *rows[::step]])) == WEEKLY


def test_numbers_of_years_are_no_weeks(read_lines):
    rows = [f"{1901 + n},{n}" for n in range(110)]
    assert read_lines(["y,v", *rows]).frequency.code == "YS"


WEEK_FORMS = ["{w:02}.{y}", "{w}.{y}", "{y}.{w:02}", "{w:02}/{y}", "{y}/{w:02}"]


@pytest.mark.parametrize("form", WEEK_FORMS)
@pytest.mark.parametrize("across", [False, True])
def test_weeks_and_years_with_a_sign_between_them(form, across, read_lines):
    weeks = [(y, w) for y in (2022, 2023) for w in range(1, 53)]
    labels = [form.format(y=y, w=w) for y, w in weeks]
    lines = ["week,v", *(f"{label},{n}" for n, label in enumerate(labels))]
    if across:
        lines = [f"SKU,{joined(labels)}", f"1,{joined(range(104))}"]
    panel = read_lines(lines)
    assert read_as(panel) == ("W-MON", "2022-01-03", list(range(104)))


@pytest.mark.parametrize(
    "form",
    [
        "Du {0:%d/%m/%Y} au {1:%d/%m/%Y}",
        "Del {0:%d/%m/%Y} al {1:%d/%m/%Y}",
        "dal {0:%d.%m.%Y} al {1:%d.%m.%Y}",
        "{0:%d/%m/%Y} até {1:%d/%m/%Y}",
        "vom {0:%d.%m.%Y} bis {1:%d.%m.%Y}",
        "van {0:%d-%m-%Y} tot {1:%d-%m-%Y}",
        "od {0:%d.%m.%Y} do {1:%d.%m.%Y}",
        "с {0:%d.%m.%Y} по {1:%d.%m.%Y}",
        "KW {week} ({0:%d.%m.}-{1:%d.%m.%Y})",
        "Week {week}: {0:%d/%m/%Y} - {1:%d/%m/%Y}",
        "{0:%d/%m} al {1:%d/%m/%Y}",
    ],
)
def test_ranges_of_days_in_more_languages(form, read_lines):
    rows = [
        f"{form.format(day, day + timedelta(6), week=day.isocalendar().week)};{value}"
        for day, value in zip(MONDAYS, VALUES, strict=False)
    ]
    assert read_as(read_lines(["Period;n", *rows])) == WEEKLY


@pytest.mark.parametrize(
    "form", ["{0.month}月/{0.year}", "{0:%m}月 {0.year}年", "{0:%Y.%m}."]
)
def test_months_with_signs_of_their_own(form, read_lines):
    panel = read_lines(["期;n", *rows_of(form, MONTHS)])
    assert read_as(panel) == ("MS", "2018-01-01", VALUES[:24])


@pytest.mark.parametrize(
    "form",
    [
        "{0:%Y-%m-%d-%H.%M.%S.000000}",
        "{0:%d-%m-%Y/%H:%M}",
        "{0:%Y-%m-%d_%H-%M-%S}",
        "{0:%Y-%m-%d_%H-%M}",
        "{0:%Y%m%d_%H-%M-%S}",
        "{0:%d.%m.%Y %H}-{0:%H}",
    ],
)
def test_clock_times_as_databases_and_names_of_files_have_them(form, read_lines):
    panel = read_lines(["time;v", *rows_of(form, HOURS)])
    assert read_as(panel) == ("h", "2024-03-01", VALUES)


@pytest.mark.parametrize(
    "form",
    ["{0:%B} {0.day}, {0.year}", "{0:%b} {0.day}, {0.year}", "{0:%a}, {0:%d %b %Y}"],
)
def test_commas_in_dates_need_no_quotes(form, read_lines):
    panel = read_lines(["day,v", *rows_of(form, DAYS, ",")])
    assert read_as(panel) == ("D", "2023-02-20", VALUES[:40])


@pytest.mark.parametrize(
    "name", ["Product / 2023", "2023 Sales", "Region (2023)", "Branch - 2023"]
)
def test_a_year_in_the_name_beside_months_across(name, read_lines):
    rows = [f"{label},{joined(VALUES[:12])}" for label in "AB"]
    panel = read_lines([f"{name},{joined(NAMES)}", *rows])
    assert (len(panel), panel.frequency.code) == (2, "MS")
    assert str(panel.starts[0])[:7] == "2023-01"
    assert any("in the name of a column" in f.message for f in panel.report.findings)


@pytest.mark.parametrize(
    "names", ["Month (2023),Sales", "Month,Sales 2023", "Month,2023 Sales"]
)
def test_a_year_in_a_name_beside_months_below_each_other(names, read_lines):
    rows = [f"{name},{value}" for name, value in zip(NAMES, VALUES, strict=False)]
    assert read_as(read_lines([names, *rows])) == ("MS", "2023-01-01", VALUES[:12])


@pytest.mark.parametrize(
    "names",
    [
        "Month,Price (constant 2015 prices)",
        "Month,Index 2015 = 100",
        "Month,GDP 2015 $",
    ],
)
def test_years_that_say_something_else_are_not_those_of_months(names, read_lines):
    rows = [f"{name},{value}" for name, value in zip(NAMES, VALUES, strict=False)]
    with pytest.raises(DataError, match="without a year"):
        read_lines([names, *rows])


@pytest.mark.parametrize("form", ["Sales {}", "{} Sales", "Sales ({})"])
@pytest.mark.parametrize("count", [2, 3])
def test_years_across_with_the_same_words(form, count, read_lines):
    header = joined(form.format(2021 + n) for n in range(count))
    rows = [f"{name},{joined([n] * count)}" for n, name in enumerate(NAMES)]
    panel = read_lines([f"Month,{header}", *rows])
    assert read_as(panel) == ("MS", "2021-01-01", list(range(12)) * count)


@pytest.mark.parametrize(
    "form",
    [
        "{0:%b %Y} {1}",
        "{1} {0:%b %Y}",
        "{0:%Y-%m} {1}",
        "{1}_{0:%Y%m}",
        "{0:%m/%Y} ({1})",
        "{1} - {0:%Y-%m}",
        "{0:%b %Y}/{1}",
        "{0:%b %Y} Net {1}",
    ],
)
def test_several_values_of_each_month_across(form, read_lines):
    names = [form.format(day, value) for day in MONTHS for value in ("Price", "Volume")]
    cells = joined(cell for value in VALUES[:24] for cell in (value, value + 1))
    lines = [f"Product,{joined(names)}", f"A,{cells}", f"B,{cells}"]
    with pytest.raises(DataError, match="2 numeric columns"):
        read_lines(lines)
    target = "Net Price" if "Net" in form else "Price"
    panel = read_lines(lines, target=target)
    assert read_as(panel.select(["A"])) == ("MS", "2018-01-01", VALUES[:24])
    assert len(read_lines(lines, target="*")) == 4


@pytest.mark.parametrize("by_value", [False, True])
def test_two_levels_of_months_and_values(by_value, read_lines):
    months = [f"{day:%b %Y}" for day in MONTHS]
    pairs = [(month, value) for month in months for value in ("Actual", "Plan")]
    if by_value:
        pairs.sort(key=lambda pair: pair[1])
    cells = [VALUES[months.index(m)] + (v == "Plan") for m, v in pairs]
    upper, lower = zip(*pairs, strict=True)
    lines = [f",{joined(upper)}", f"Product,{joined(lower)}", f"A,{joined(cells)}"]
    panel = read_lines(lines, target="Actual")
    assert read_as(panel) == ("MS", "2018-01-01", VALUES[:24])


def test_plans_reach_further_than_what_is_known(read_lines):
    names = joined(
        f"{day:%b %Y} {value}" for day in MONTHS for value in ("Actual", "Plan")
    )
    cells = [VALUES[n] if n < 18 else "" for n in range(24)]
    row = joined(cell for value in cells for cell in (value, 5))
    panel = read_lines([f"Item,{names}", f"A,{row}"], target="Actual")
    assert panel.values[:18].tolist() == VALUES[:18]


@pytest.mark.parametrize("merged", [False, True])
def test_quarters_between_years_and_months(merged, read_lines):
    years = [str(day.year) for day in MONTHS]
    quarters = [f"Q{(day.month + 2) // 3}" for day in MONTHS]
    if merged:
        years = [y if n % 12 == 0 else "" for n, y in enumerate(years)]
        quarters = [q if n % 3 == 0 else "" for n, q in enumerate(quarters)]
    levels = [f",{joined(years)}", f",{joined(quarters)}", f"Item,{joined(NAMES * 2)}"]
    panel = read_lines([*levels, *(f"{name},{joined(VALUES[:24])}" for name in "AB")])
    assert (len(panel), panel.frequency.code) == (2, "MS")
    assert read_as(panel.select(["A"])) == ("MS", "2018-01-01", VALUES[:24])


COUNTED = {
    "Highcharts, days": (
        {
            "series": [
                {"name": "A", "pointStart": 1262304000000, "pointInterval": 86400000}
            ]
        },
        "D",
    ),
    "Highcharts, months": (
        {
            "plotOptions": {
                "series": {"pointStart": 1262304000000, "pointIntervalUnit": "month"}
            },
            "series": [{"name": "A"}],
        },
        "MS",
    ),
    "Highcharts, years": (
        {"plotOptions": {"area": {"pointStart": 2010}}, "series": [{"name": "A"}]},
        "YS",
    ),
    "start and step": ({"series": [{"start": 1262304000, "step": 3600}]}, "h"),
    "start and duration": (
        {"series": [{"startDate": "2010-01-01T00:00:00Z", "interval": "PT15M"}]},
        "15min",
    ),
}


@pytest.mark.parametrize("form", COUNTED)
@pytest.mark.parametrize("key", ["data", "values"])
def test_times_counted_from_a_start(form, key, tmp_path):
    document, frequency = COUNTED[form]
    series = [entry | {key: VALUES[:24]} for entry in document["series"]]
    panel = lc.read(written(tmp_path, "data.json", document | {"series": series}))
    assert read_as(panel) == (frequency, "2010-01-01", VALUES[:24])


def test_rows_of_a_round_robin_database(tmp_path):
    meta = {
        "start": 1709251200,
        "end": 1709254800,
        "step": 60,
        "legend": ["cpu", "mem"],
    }
    rows = [[value, None if n == 3 else 5.0] for n, value in enumerate(VALUES[:24])]
    path = written(tmp_path, "data.json", {"meta": meta, "data": rows})
    panel = lc.read(path, target="cpu")
    assert read_as(panel) == ("min", "2024-03-01", VALUES[:24])


def test_times_beside_a_start_are_the_times(tmp_path):
    records = [{"day": str(day), "n": n} for n, day in enumerate(DAYS)]
    document = {"start": "2023-01-01", "interval": "day", "values": records}
    panel = lc.read(written(tmp_path, "data.json", document))
    assert read_as(panel) == ("D", "2023-02-20", list(range(40)))


ELAPSED = {
    "days of pandas": [str(pd.Timedelta(n, "h")) for n in range(60)],
    "clock": [f"{n // 60:02}:{n % 60:02}:00" for n in range(60)],
    "ISO": [f"PT{n}M" for n in range(60)],
    "seconds": [f"{n * 0.1:.1f}" for n in range(60)],
    "from before 0": [f"{n * 0.001 - 0.03:.4f}" for n in range(60)],
}


@pytest.mark.parametrize("form", ELAPSED)
@pytest.mark.parametrize("named", [None, "elapsed"])
def test_times_since_a_start_are_numbers_of_steps(form, named, read_lines):
    rows = [f"{t},{v}" for t, v in zip(ELAPSED[form], VALUES, strict=False)]
    panel = read_lines(["elapsed,y", *rows], time=named)
    assert panel.frequency.code == "integer"
    assert panel.values.tolist() == VALUES[:60]
    assert any("times since a start" in f.message for f in panel.report.findings)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("step", ["h", "30min", "2s"])
def test_a_frame_with_time_differences_in_its_index(wide, step):
    index = pd.timedelta_range("1h", periods=60, freq=step)
    frame = pd.DataFrame({"a": VALUES[:60], "b": VALUES[:60]}, index=index)
    panel = lc.read(frame if wide else frame["a"])
    assert (len(panel), panel.frequency.code) == (1 + wide, "integer")
    assert panel.values[:60].tolist() == VALUES[:60]


@pytest.mark.parametrize("label", ["{:.3f}", "{:.2f}"])
def test_decimal_years_are_no_times_since_a_start(label, read_lines):
    rows = [f"{label.format(1990 + n / 12)},{n}" for n in range(60)]
    assert read_lines(["time,y", *rows]).frequency.code == "MS"


def test_months_in_runs_above_names_of_values(read_lines):
    upper = joined(f"{day:%Y.%m},{day:%Y.%m}" for day in MONTHS)
    rows = [
        f"{city},{joined(f'{v},7' for v in VALUES[:24])}" for city in ("서울", "부산")
    ]
    lines = [f"시도별,{upper}", f"시도별,{joined(['남,여'] * 24)}", *rows]
    panel = read_lines(lines, target="남")
    assert read_as(panel.select(["서울"])) == ("MS", "2018-01-01", VALUES[:24])


@pytest.mark.parametrize("word", ["Source", "Frequency", "Quelle", "Units"])
def test_rows_that_describe_columns_do_not_name_them(word, read_lines):
    above = ["Report,,", "", f"{word},first,second", "Series ID,A1,B2"]
    rows = [f"{day},{n},{n}.5" for n, day in enumerate(DAYS)]
    panel = read_lines([*above, *rows], target="*")
    assert panel.ids.tolist() == ["A1", "B2"]


@pytest.mark.parametrize("end", ["TIME,CH1", "Seconds,Voltage"])
def test_names_below_what_is_said_of_a_recording(end, read_lines):
    said = ["Model,TDS2024", "Record Length,60", "Sample Interval,0.001", "Source,CH1"]
    rows = [f"{n * 0.001:.4f},{value}" for n, value in enumerate(VALUES[:60])]
    panel = read_lines([*said, end, *rows])
    assert panel.columns.target == end.split(",")[1]
    assert panel.values.tolist() == VALUES[:60]


def test_a_column_of_comments_that_rows_leave_out(read_lines):
    said = ["LabVIEW Measurement", "Channels\t1", "Samples\t60", "***End_of_Header***"]
    rows = [f"{n * 0.1:.6f}\t{value}" for n, value in enumerate(VALUES[:60])]
    panel = read_lines([*said, "X_Value\tVoltage\tComment", *rows])
    assert (panel.columns.target, panel.values.tolist()) == ("Voltage", VALUES[:60])


def test_delimiters_at_the_end_of_data_and_not_of_names(read_lines):
    years = ";".join(map(str, range(2015, 2022)))
    rows = [f"{code};{';'.join(map(str, range(7)))};" for code in ("PL;1", "DE;2")]
    panel = read_lines([f"Kod;Nr;{years}", *rows])
    assert (len(panel), panel.frequency.code, str(panel.starts[0])[:4]) == (
        2,
        "YS",
        "2015",
    )


def test_the_day_of_an_update_beside_months_across_is_not_their_time(read_lines):
    months = ";".join(f"{day:%Y-%m}" for day in MONTHS)
    values = ";".join(map(str, VALUES[:24]))
    marks = ";".join("A" * 24)
    lines = [f"Libellé;idBank;Mise à jour;{months}", f"Prix;001;15/03/2024;{values}"]
    panel = read_lines([*lines, f"Codes;001;15/03/2024;{marks}"])
    assert read_as(panel) == ("MS", "2018-01-01", VALUES[:24])
    assert any("a row of marks" in f.message for f in panel.report.findings)


INSERTED = {
    "columns named": "INSERT INTO t (day, n) VALUES ('{0}', {1});",
    "a row for each": "CREATE TABLE t (day date, n int);\nINSERT INTO `t` VALUES ('{0}',{1});",
    "Oracle": "Insert into S.T (DAY,N,X) values (to_date('{0}','YYYY-MM-DD'),{1},'it''s');",
    "texts beside each other": "insert into t (a, day, b, n) values ('x','{0}','it''s',{1});",
    "SQL Server": "INSERT [dbo].[T] ([Day], [N]) VALUES (CAST(N'{0}' AS Date), {1})",
}


@pytest.mark.parametrize("form", INSERTED)
def test_dumps_of_rows_that_are_inserted(form, tmp_path):
    created, _, inserted = INSERTED[form].rpartition("\n")
    rows = [inserted.format(d, v) for d, v in zip(DAYS, VALUES, strict=False)]
    path = written(tmp_path, "dump.sql", "\n".join(["-- a dump", created, *rows]))
    assert read_as(lc.read(path)) == ("D", "2023-02-20", VALUES[:40])


def test_a_dump_with_all_rows_in_one_statement(tmp_path):
    created = (
        "CREATE TABLE `s` (\n `id` int NOT NULL,\n `day` date,\n `n` decimal(10,2),\n"
    )
    created += " PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\n"
    rows = joined(f"({n},'{d}',{VALUES[n]})" for n, d in enumerate(DAYS))
    text = f"/*!40101 SET NAMES utf8 */;\n{created}INSERT INTO `s` VALUES {rows};\n"
    assert read_as(lc.read(written(tmp_path, "a.sql", text)))[2] == VALUES[:40]


def test_a_dump_of_postgresql(tmp_path):
    rows = [f"{d}\t{s}\t{v}" for s in "ab" for d, v in zip(DAYS, VALUES, strict=False)]
    copied = ["COPY public.s (day, shop, n) FROM stdin;", *rows, "\\."]
    text = "\n".join(["SET lock_timeout = 0;", *copied])
    panel = lc.read(written(tmp_path, "a.sql", text))
    assert (panel.ids.tolist(), panel.lengths.tolist()) == (["a", "b"], [40, 40])


def test_bookings_of_accounts(tmp_path):
    quicken = "!Type:Bank\n" + "".join(
        f"D{d.month}/{d.day:2}'{d:%y}\nT-1,{100 + n}.50\nPShop\n^\n"
        for n, d in enumerate(DAYS)
    )
    panel = lc.read(written(tmp_path, "a.qif", quicken))
    assert read_as(panel) == ("D", "2023-02-20", [-1100.5 - n for n in range(40)])
    exchanged = "OFXHEADER:100\n<OFX><BANKTRANLIST>" + "".join(
        f"<STMTTRN><DTPOSTED>{d:%Y%m%d}120000[-5:EST]<TRNAMT>-{n}.50<NAME>Shop</STMTTRN>"
        for n, d in enumerate(DAYS)
    )
    panel = lc.read(written(tmp_path, "a.ofx", f"{exchanged}</BANKTRANLIST></OFX>"))
    assert read_as(panel) == ("D", "2023-02-20", [-0.5 - n for n in range(40)])


BLOCKS = {
    "with names": ("Store {}", "Date,Sales", ""),
    "without names": ('"{}"', "", ""),
    "in comments": ("# {}", "", ""),
    "in a cell": ("Store {},", "Date,Sales", ""),
}


@pytest.mark.parametrize("form", BLOCKS)
def test_tables_below_each_other_with_titles(form, read_lines):
    title, header, after = BLOCKS[form]
    lines = []
    for name in ("Oslo", "Rome"):
        rows = [f"{day},{VALUES[n]}" for n, day in enumerate(DAYS)]
        lines += [title.format(name), *filter(None, [header]), *rows, after]
    panel = read_lines(lines)
    assert (len(panel), panel.lengths.tolist()) == (2, [40, 40])
    assert [name.split()[-1] for name in panel.ids] == ["Oslo", "Rome"]


def test_pages_of_one_table_are_no_series(read_lines):
    lines = []
    for page in (0, 1):
        rows = [f"{day},{n}" for n, day in enumerate(DAYS)]
        lines += [
            f"Page {page + 1} of 2",
            "Date,Qty",
            *rows[20 * page : 20 * page + 20],
        ]
    assert read_as(read_lines(lines)) == ("D", "2023-02-20", list(range(40)))


@pytest.mark.parametrize(
    ("yes", "no"), [("TRUE", "FALSE"), ("on", "off"), ("ja", "nein")]
)
def test_yes_and_no_are_read_where_they_are_named(yes, no, read_lines):
    lines = ["day,state", *(f"{d},{yes if n % 3 else no}" for n, d in enumerate(DAYS))]
    with pytest.raises(DataError, match="use target='state'"):
        read_lines(lines)
    panel = read_lines(lines, target="state")
    assert panel.values[:4].tolist() == [0, 1, 1, 0]


def test_booleans_of_a_frame_are_read_where_they_are_named():
    frame = pd.DataFrame({"ds": DAYS, "on": [n % 3 > 0 for n in range(40)]})
    assert lc.read(frame, target="on").values[:4].tolist() == [0, 1, 1, 0]


def test_codes_with_a_comma_are_advised_in_quotes(read_lines):
    rows = [f"{d};{'<0,5' if n == 7 else f'{n},5'}" for n, d in enumerate(DAYS)]
    with pytest.raises(DataError, match=r"missing_codes=\['<0,5=0,5'\]"):
        read_lines(["day;NO2", *rows])
    panel = read_lines(["day;NO2", *rows], missing_codes=["<0,5=0,5"])
    assert panel.values[6:9].tolist() == [6.5, 0.5, 8.5]
    missing = read_lines(["day;NO2", *rows], missing_codes="'<0,5'")
    assert np.isnan(missing.values[7])


@pytest.mark.parametrize("form", ["<{:,.2f}>", "({:,.0f})"])
def test_accounts_have_no_decimals_of_three_digits(form, read_lines):
    numbers = [1000.0 - 2100 * (n % 2) + 300 * (n % 7) for n in range(40)]
    rows = [
        f"{day}\t{form.format(-x) if x < 0 else f'{x:,.0f}'}"
        for day, x in zip(DAYS, numbers, strict=True)
    ]
    assert read_lines(["day\tprofit", *rows]).values.tolist() == numbers


def test_prices_in_fractions(read_lines):
    rows = [f"{day},{100 + n} {n % 8}/8" for n, day in enumerate(DAYS)]
    panel = read_lines(["day,price", *rows])
    assert panel.values.tolist() == [100 + n + n % 8 / 8 for n in range(40)]


@pytest.mark.parametrize(
    "names", ["Berichtsjahr;Meldewoche", "Kalenderjahr;Kalenderwoche"]
)
def test_compound_names_of_years_and_weeks(names, read_lines):
    rows = [f"{2020 + n // 52};{n % 52 + 1};{n}" for n in range(120)]
    panel = read_lines([f"{names};Fälle", *rows])
    assert (len(panel), panel.frequency.code) == (1, "W-MON")


def test_numbers_of_rows_begin_below_what_is_left_out(read_lines):
    said = ["1,,FirstName,,", "2,,LastName,,", "3,,Device,,"]
    rows = [f"{n + 4},{day},EGV,,{VALUES[n]}" for n, day in enumerate(DAYS)]
    panel = read_lines(["Index,Timestamp,Event,Info,Glucose", *said, *rows])
    assert panel.columns.target == "Glucose"


@pytest.mark.parametrize("station", ["249190010", "1234567890"])
def test_the_number_of_a_station_is_no_second(station, read_lines):
    rows = [
        f"{station},{d.year},{d.month:02},{d.day:02},{VALUES[n]}"
        for n, d in enumerate(DAYS)
    ]
    assert read_as(read_lines(rows)) == ("D", "2023-02-20", VALUES[:40])


@pytest.mark.parametrize("form", ["{},{}", "{}.5", "1,{:03},{:03}"])
def test_commas_in_numbers_need_no_quotes_beside_one_column_of_times(form, read_lines):
    numbers = [form.format(100 + n, 200 + n) for n in range(40)]
    rows = [f"{day},{number}" for day, number in zip(DAYS, numbers, strict=True)]
    panel = read_lines(["date,value", *rows])
    thousands = form.startswith("1,")
    expected = [
        float(number.replace(",", "" if thousands else ".")) for number in numbers
    ]
    as_thousands = [1000 * (100 + n) + 200 + n for n in range(40)]
    assert panel.values.tolist() in (expected, as_thousands)


def test_row_names_of_r_stay_what_they_are(read_lines):
    rows = [f"{n + 1},{day},{n}.5" for n, day in enumerate(DAYS)]
    assert read_as(read_lines(["date,value", *rows]))[:2] == ("D", "2023-02-20")


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_lines_in_quotes_as_a_whole(mark, read_lines):
    rows = [f'"{day}{mark}{VALUES[n]}"' for n, day in enumerate(DAYS)]
    panel = read_lines([f'"day{mark}n"', *rows])
    assert read_as(panel) == ("D", "2023-02-20", VALUES[:40])


@pytest.mark.parametrize("mark", ["~", "^", "§", "¦"])
def test_rare_delimiters(mark, read_lines):
    panel = read_lines([f"day{mark}n", *rows_of("{}", DAYS, mark)])
    assert read_as(panel) == ("D", "2023-02-20", VALUES[:40])


RECORDS = {
    "elements": "<r><row><day>{0}</day><n>{1}</n></row></r>",
    "attributes": "<Cube><Cube time='{0}' rate='{1}'/></Cube>",
    "nested": "<a xmlns='urn:x'><d time='{0}'><v currency='USD' rate='{1}'/></d></a>",
    "text": "<s name='A'><value dateTime='{0}T00:00:00'>{1}</value></s>",
}


@pytest.mark.parametrize("form", RECORDS)
def test_records_of_xml(form, tmp_path):
    begin, row, end = RECORDS[form].partition(
        RECORDS[form].split(">", 1)[1].rpartition("</")[0]
    )
    rows = [row.format(day, VALUES[n]) for n, day in enumerate(DAYS)]
    text = f"<?xml version='1.0'?>{begin}{''.join(rows)}{end}"
    panel = lc.read(written(tmp_path, "data.xml", text))
    assert read_as(panel) == ("D", "2023-02-20", VALUES[:40])


def test_xml_without_records_is_no_table(tmp_path):
    with pytest.raises(DataError, match="not a table"):
        lc.read(written(tmp_path, "data.xml", "<?xml version='1.0'?><a><b>5</b></a>"))


FRACTIONS = {
    "hours": ("date,hour", lambda t: f"{t:%Y-%m-%d},{t.hour + t.minute / 60}"),
    "days": ("year,month,day", lambda t: f"{t:%Y,%m},{t.day + part_of_day(t):.5f}"),
    "days of years": (
        "year,doy",
        lambda t: f"{t:%Y},{day_of_year(t) + part_of_day(t):.4f}",
    ),
}


def part_of_day(time):
    return (time.hour + time.minute / 60) / 24


def day_of_year(time):
    return time.timetuple().tm_yday


@pytest.mark.parametrize("form", FRACTIONS)
def test_days_and_hours_with_fractions(form, read_lines):
    names, write = FRACTIONS[form]
    times = [HOURS[0] + timedelta(minutes=30 * n) for n in range(200)]
    rows = [f"{write(time)},{VALUES[n]}" for n, time in enumerate(times)]
    assert read_as(read_lines([f"{names},v", *rows])) == (
        "30min",
        "2024-03-01",
        VALUES[:200],
    )


@pytest.mark.parametrize("form", ["%A", "%a"])
def test_names_of_weekdays_below_day_beside_weeks(form, read_lines):
    rows = [
        f"{day.isocalendar().year},{day.isocalendar().week},{day:{form}},{VALUES[n]}"
        for n, day in enumerate(DAYS)
    ]
    panel = read_lines(["year,week,day,v", *rows])
    assert read_as(panel) == ("D", "2023-02-20", VALUES[:40])


def test_seconds_that_fill_a_day(read_lines):
    rows = [
        f"{time:%Y-%m-%d},{time.hour * 3600},{VALUES[n]}"
        for n, time in enumerate(HOURS)
    ]
    assert read_as(read_lines(["date,seconds,v", *rows])) == ("h", "2024-03-01", VALUES)
