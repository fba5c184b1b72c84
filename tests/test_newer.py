"""Newer data for a saved model: what it knows of its data fills in what one or two rows cannot
show."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc
from builders import drawn_network
from lstmcast import pretrained as beginning
from lstmcast import store
from lstmcast.data.newer import read_newer
from lstmcast.data.panel import Columns, Panel, Recipe
from lstmcast.data.read import read_table
from lstmcast.data.tabular import panel_from_table
from lstmcast.errors import DataError, ModelError
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.saved_context import SavedContext

MONTHS = [f"{2020 + i // 12}-{i % 12 + 1:02d}" for i in range(40)]
SALES = 50 + np.arange(40) + 10 * np.sin(np.arange(40))


def months(first: int, last: int, time: str = "month", target: str = "sales") -> str:
    rows = (f"{MONTHS[i]},{SALES[i]}\n" for i in range(first, last))
    return f"{time},{target}\n" + "".join(rows)


@pytest.fixture
def write(tmp_path):
    def writing(text: str, name: str = "new.csv") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return writing


@pytest.fixture
def known(write) -> Panel:
    """Three years of sales in a file called old.csv."""
    return lc.read(write(months(0, 36), "old.csv"))


@pytest.fixture
def network() -> Network:
    return drawn_network(NetworkConfig(layers=(4,), horizon=6), size=0.1)


@pytest.fixture
def saved(known, network, tmp_path) -> Path:
    lc.LSTMForecaster(6, weights=network).save(tmp_path / "model", known)
    return tmp_path / "model"


@pytest.mark.parametrize("rows", [1, 2])
def test_a_month_or_two_have_the_frequency_of_the_saved_data(known, write, rows):
    newer = read_newer(write(months(36, 36 + rows)), known)
    assert newer.frequency == known.frequency and newer.periods == known.periods
    assert newer.values.tolist() == SALES[36 : 36 + rows].tolist()


def test_two_months_with_a_gap_are_monthly_still(known, write):
    newer = read_newer(write("month,sales\n2023-01,5\n2023-03,7\n"), known)
    np.testing.assert_array_equal(newer.values, [5, np.nan, 7])


def test_one_month_of_each_of_many_series(write):
    old = "month,store,sales\n" + "".join(
        f"{m},{s},{i}\n" for s in "ab" for i, m in enumerate(MONTHS[:36])
    )
    known = lc.read(write(old, "old.csv"))
    newer = read_newer(write("month,store,sales\n2023-01,a,5\n2023-01,b,7\n"), known)
    assert newer.ids.tolist() == ["a", "b"] and newer.frequency == known.frequency
    one = read_newer(write("month,store,sales\n2023-01,b,7\n"), known)
    assert one.ids.tolist() == ["b"]


def test_a_week_without_a_weekend_is_business_days(write):
    days = pd.bdate_range("2024-01-01", periods=40).strftime("%Y-%m-%d")
    known = lc.read(
        write(
            "day,y\n" + "".join(f"{day},{i}\n" for i, day in enumerate(days[:30])),
            "old.csv",
        )
    )
    assert known.frequency.code == "B"
    newer = read_newer(
        write("day,y\n" + "".join(f"{day},{i}\n" for i, day in enumerate(days[30:35]))),
        known,
    )
    assert newer.frequency == known.frequency


@pytest.mark.parametrize(
    ("days", "name"),
    [
        (pd.date_range("2023-01-01", periods=3), "daily"),
        (pd.date_range("2023", periods=4, freq="YS"), "yearly"),
    ],
)
def test_three_rows_show_their_own_frequency(saved, write, days, name):
    newer = write("month,sales\n" + "".join(f"{day:%Y-%m-%d},5\n" for day in days))
    with pytest.raises(
        ModelError,
        match=rf"The data are {name}.*but the saved model was made with monthly",
    ):
        lc.load(saved).predict(newer)


def test_the_kind_is_that_of_the_saved_data(write):
    known = lc.read(write(months(0, 36), "old.csv"), kind="positive")
    assert read_newer(write(months(36, 37)), known).kind == "positive"
    with pytest.raises(DataError, match="negative"):
        read_newer(write("month,sales\n2023-01,-5\n"), known)


def test_a_kind_that_is_given_comes_before_that_of_the_saved_data(write):
    known, below = (
        lc.read(write(months(0, 36), "old.csv"), kind="positive"),
        write("month,sales\n2023-01,-5\n"),
    )
    assert read_newer(below, known, lc.ReadOptions(kind="real")).kind == "real"
    assert (
        lc.read(write(months(0, 36), "old.csv"), kind="real").kind
        == lc.read(write(months(0, 36))).kind
        == "real"
    )
    assert (
        panel_from_table(read_table(write(months(0, 36))), lc.ReadOptions()).kind
        == "real"
    )


def test_options_that_are_given_come_first(known, write):
    twice = write("month,sales\n2023-01,5\n2023-01,7\n2023-02,1\n")
    newer = read_newer(
        twice, known, lc.ReadOptions(duplicates="sum", periods=(6,), kind="count")
    )
    assert (
        newer.values.tolist() == [12, 1]
        and newer.periods == (6,)
        and newer.kind == "count"
    )
    days = write(
        "month,sales\n2023-01-01,5\n2023-01-31,7\n2023-02-01,1\n2023-02-28,1\n2023-03-01,9\n2023-03-31,1\n"
    )
    assert read_newer(days, known, lc.ReadOptions(aggregate="sum")).values.tolist() == [
        12,
        2,
        10,
    ]


def test_the_saved_columns_are_looked_for_and_missed(known, write):
    other = "month,fares,sales\n2023-01,9,5\n"
    assert read_newer(write(other), known).values.tolist() == [5]
    with pytest.raises(
        DataError,
        match=r"(?s)no column 'sales' for the target.*'fares': 76.*made with 'month' for the time",
    ):
        read_newer(write(months(36, 38, target="fares")), known)
    with pytest.raises(
        DataError,
        match=r"(?s)no column 'month' for the time.*time='NAME', target='NAME'",
    ):
        read_newer(write(months(36, 38, time="date")), known)
    assert read_newer(
        write(months(36, 38, target="fares")), known, target="fares"
    ).columns == Columns("unique_id", "month", "fares")


def test_dates_in_several_columns_are_joined_again(write):
    rows = [f"{month[:4]},{month[5:]},{i}\n" for i, month in enumerate(MONTHS)]
    known = lc.read(write("Year,Month,sales\n" + "".join(rows[:36]), "old.csv"))
    newer = read_newer(write("Year,Month,sales\n" + rows[36]), known)
    assert (
        newer.starts == known.ends + np.timedelta64(31, "D")
        and newer.columns == known.columns
    )


@pytest.mark.parametrize("rows", ["5,5\n", "5,5\n6,6\n7,7\n"])
def test_numbers_in_the_place_of_dates(known, write, rows):
    with pytest.raises(
        ModelError,
        match=r"The times of new\.csv are numbers, but the saved model was made with dates",
    ):
        read_newer(write("month,sales\n" + rows), known)


def test_no_value_is_refused(known, write):
    with pytest.raises(DataError, match=r"missing|no column of numbers"):
        read_newer(write("month,sales\n2023-01,\n"), known)


# ---- a model that goes on


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_predict_goes_on_with_a_file_of_any_name(saved, write, network, rows):
    loaded, newer = lc.load(saved), write(months(36, 36 + rows), "january.csv")
    assert loaded.continued(newer).continued == ("old",)
    whole = lc.LSTMForecaster(6, weights=network).predict(
        write(months(0, 36 + rows), "whole.csv")
    )
    for data in (newer, str(newer), pd.read_csv(newer)):
        forecast = loaded.predict(data)
        assert forecast.ids.tolist() == ["old"]
        np.testing.assert_array_equal(forecast.quantiles, whole.quantiles)
        np.testing.assert_array_equal(forecast.times, whole.times)


def test_a_model_that_went_on_goes_on_under_a_third_name(saved, write, network):
    loaded = lc.load(saved)
    loaded.save(saved, write(months(36, 37), "january.csv"))
    forecast = lc.load(saved).predict(write(months(37, 38), "february.csv"))
    whole = lc.LSTMForecaster(6, weights=network).predict(
        write(months(0, 38), "whole.csv")
    )
    np.testing.assert_array_equal(forecast.quantiles, whole.quantiles)


def test_series_with_names_of_their_own_are_not_mistaken(
    saved, write, network, tmp_path
):
    named = lc.Panel.from_arrays(
        {"another": SALES[36:]}, frequency="MS", start="2023-01"
    )
    assert lc.load(saved).continued(named).restarted == ("another",)
    shop = lc.read(
        write(
            "month,unique_id,sales\n"
            + "".join(f"{m},a,{i}\n" for i, m in enumerate(MONTHS[:36]))
        )
    )
    lc.LSTMForecaster(6, weights=network).save(tmp_path / "shop", shop)
    other = write("month,unique_id,sales\n2023-01,b,4\n")
    assert lc.load(tmp_path / "shop").continued(other).restarted == ("b",)


# ---- read as the saved data were


DAYS = [f"2024-01-{day:02}" for day in range(1, 31)]


def sold(first: int, last: int) -> str:
    """Two sales a day in each of two stores for each of two items."""
    rows = (
        f"{day},{store},{item},{10 * k + n},{n}\n"
        for k, day in enumerate(DAYS[first:last], first)
        for store in "ab"
        for item in "xy"
        for n in (1, 2)
    )
    return "day,store,item,amount,pieces\n" + "".join(rows)


def went_on(known: Panel, newer: object, **options) -> tuple[Panel, Panel]:
    """What was read, and joined, after the known panel has been in a manifest."""
    memory = SavedContext(known)
    again = SavedContext.from_saved(
        json.loads(json.dumps(memory.described())), memory.arrays()
    )
    read = read_newer(newer, again.panel, lc.ReadOptions(**options))
    return read, again.join(read).panel


def test_several_series_columns_and_an_aggregation_are_read_again(write):
    how = {
        "series": ["store", "item"],
        "target": "amount",
        "aggregate": "sum",
        "frequency": "D",
    }
    whole = lc.read(write(sold(0, 22), "whole.csv"), **how)
    known, newer = lc.read(write(sold(0, 20), "old.csv"), **how), write(sold(20, 22))
    read, joined = went_on(known, newer)
    assert read.ids.tolist() == ["a/x", "a/y", "b/x", "b/y"] and read.values[
        :2
    ].tolist() == [
        403.0,
        423.0,
    ]
    np.testing.assert_array_equal(joined.values, whole.values)
    again, _ = went_on(joined, newer)  # what went on is read so once more
    np.testing.assert_array_equal(again.values, read.values)


def test_several_targets_are_read_again(write):
    for target in ("*", ["fares", "sales"]):
        rows = [f"{m},{i},{2 * i}\n" for i, m in enumerate(MONTHS)]
        known = lc.read(
            write("month,fares,sales\n" + "".join(rows[:36]), "old.csv"), target=target
        )
        read, joined = went_on(known, write("month,fares,sales\n" + rows[36]))
        assert read.ids.tolist() == ["fares", "sales"] and read.values.tolist() == [
            36,
            72,
        ]
        assert joined.lengths.tolist() == [37, 37]


def test_numbered_rows_and_repairs_are_read_again(write):
    known = lc.read({"day": DAYS[:20], "y": np.arange(20.0)}, time="index")
    assert read_newer(
        {"day": DAYS[:9], "y": np.arange(9.0)}, known
    ).starts.tolist() == [1]
    twice = "month,sales\n2023-01,5\n2023-01,7\n"
    known = lc.read(write(months(0, 36), "old.csv"), duplicates="sum")
    assert went_on(known, write(twice))[0].values.tolist() == [12]
    assert went_on(known, write(twice), duplicates="mean")[0].values.tolist() == [6]
    assert went_on(known, write(twice), aggregate="mean")[0].values.tolist() == [6]


def test_another_aggregation_is_refused(write):
    known = lc.read(
        write(sold(0, 20), "old.csv"),
        series="store",
        target="amount",
        aggregate="sum",
        frequency="D",
    )
    with pytest.raises(
        ModelError,
        match=r"made with aggregate='sum': values aggregated by mean do not continue it",
    ):
        read_newer(write(sold(20, 22)), known, lc.ReadOptions(aggregate="mean"))
    other = Panel.from_arrays({"a": SALES}, frequency="h", start="2024-01-21")
    with pytest.raises(ModelError, match=r"\(aggregate='sum', frequency='D'\)"):
        SavedContext(known).join(other)


def test_a_day_without_a_sale_is_a_zero_where_others_have_one(write):
    how = {"series": "store", "target": "amount", "aggregate": "sum", "frequency": "D"}
    rows = sold(0, 22).splitlines(keepends=True)
    silent = [row for row in rows if not row.startswith("2024-01-21,b")]
    known = lc.read(write(sold(0, 20), "old.csv"), **how)
    newer = write(
        "".join(
            [rows[0], *(row for row in silent if row >= "2024-01-21" and row[0] == "2")]
        )
    )
    joined = went_on(known, newer)[1]
    np.testing.assert_array_equal(
        joined.values, lc.read(write("".join(silent), "whole.csv"), **how).values
    )
    assert joined.values[-2] == 0 and not np.isnan(joined.values).any()


def test_gaps_are_interpolated_or_refused_as_they_were(write):
    known = lc.read(write(months(0, 36), "old.csv"), missing="interpolate")
    later, whole = (
        write(months(38, 40)),
        write(months(0, 36) + months(38, 40).split("\n", 1)[1], "whole.csv"),
    )
    _, joined = went_on(known, later)
    np.testing.assert_array_equal(
        joined.values, lc.read(whole, missing="interpolate").values
    )
    corrected = write(f"month,sales\n{MONTHS[20]},99\n{MONTHS[36]},5\n")
    values = went_on(known, corrected)[1].values
    # remembered, not on a line
    assert values[20] == 99 and values[21:36].tolist() == SALES[21:36].tolist()
    with pytest.raises(DataError, match="2 steps are missing between the saved end"):
        went_on(
            lc.read(write(months(0, 36), "old.csv"), gaps="error"),
            write(months(38, 40)),
        )


def test_the_sheet_of_a_workbook_is_read_again(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    for name, first, last in (("old", 0, 36), ("new", 36, 38)):
        book = openpyxl.Workbook()
        for sheet, factor in ((book.active, 1), (book.create_sheet("right"), 10)):
            sheet.append(["month", "sales"])
            for i in range(first, last):
                sheet.append([MONTHS[i], i * factor])
        book.save(tmp_path / f"{name}.xlsx")
    known = lc.read(tmp_path / "old.xlsx", sheet="right")
    assert went_on(known, tmp_path / "new.xlsx")[0].values.tolist() == [360, 370]
    assert went_on(known, {"month": MONTHS[36:38], "sales": [1.0, 2.0]})[
        0
    ].values.tolist() == [
        1,
        2,
    ]


def test_times_whose_values_are_remembered_are_not_said_to_be_masked(write):
    known = lc.read(write(months(0, 36), "old.csv"))
    rules = [
        [
            finding.rule
            for finding in went_on(known, write(f"month,sales\n{rows}"))[
                1
            ].report.findings
        ]
        for rows in (
            f"{MONTHS[20]},9\n{MONTHS[36]},5\n",
            f"{MONTHS[20]},9\n{MONTHS[38]},5\n",
        )
    ]
    # of the second, two times are unknown
    assert rules == [["remembered values"], ["gaps", "remembered values"]]


HOURS = [f"2024-01-{1 + h // 24:02}T{h % 24:02}:00" for h in range(100)]


@pytest.mark.parametrize(
    ("ours", "shift", "theirs"),
    [("+09:00", 9, "Z"), ("Z", 0, "+02:00"), ("-03:30", 0, "-03:30")],
)
def test_times_of_another_zone_are_converted(write, ours, shift, theirs):
    base = np.arange(48.0)
    known = lc.read(
        write(
            "t,y\n" + "".join(f"{HOURS[h]}{ours},{h}\n" for h in range(48)), "old.csv"
        )
    )
    first = 48 - shift + {"+02:00": 2}.get(theirs, 0)
    newer = write(
        "t,y\n" + "".join(f"{HOURS[first + h]}{theirs},{48 + h}\n" for h in range(3))
    )
    read, joined = went_on(known, newer)
    assert (
        joined.values.tolist() == [*base, 48, 49, 50]
        and joined.report.time_zone == known.report.time_zone
    )
    assert ("They are converted to" in str(read.report.findings)) == (ours != theirs)


def test_times_of_a_named_zone_are_converted():
    # clocks go forward on the 31st
    stamps = pd.date_range("2024-03-29", periods=80, freq="h", tz="Europe/Berlin")
    known = lc.read(
        pd.DataFrame({"t": stamps[:60].tz_convert("UTC"), "y": np.arange(60.0)})
    )
    newer = pd.DataFrame({"t": stamps[60:], "y": np.arange(60.0, 80)})
    assert went_on(known, newer)[1].values.tolist() == list(range(80))


@pytest.mark.parametrize(("offset", "hour"), [("+02:00", 0), ("Z", 23)])
def test_days_stay_days_when_the_clocks_change(write, offset, hour):
    known = lc.read(
        write(
            "t,y\n"
            + "".join(f"{day}T00:00+01:00,{k}\n" for k, day in enumerate(DAYS[:20])),
            "old.csv",
        )
    )
    # the same instants in UTC are late on the day before
    days = DAYS[20:23] if hour == 0 else DAYS[19:22]
    newer = write(
        "t,y\n"
        + "".join(f"{day}T{hour:02}:00{offset},{k}\n" for k, day in enumerate(days, 20))
    )
    assert went_on(known, newer)[1].values.tolist() == list(range(23))
    if hour == 0:
        assert SavedContext(known).join(lc.read(newer)).continued == ("old",)


def test_zones_that_do_not_fit(write):
    zoned = lc.read(
        write(
            "t,y\n" + "".join(f"{HOURS[h]}+09:00,{h}\n" for h in range(48)), "old.csv"
        )
    )
    plain = lc.read(
        write("t,y\n" + "".join(f"{HOURS[h]},{h}\n" for h in range(48)), "old.csv")
    )
    later = write("t,y\n" + "".join(f"{HOURS[h]}Z,{h}\n" for h in range(48, 52)))
    bare = write(
        "t,y\n" + "".join(f"{HOURS[h]},{h}\n" for h in range(48, 52)), "bare.csv"
    )
    for known, newer in ((plain, later), (zoned, bare)):
        warned = [
            str(finding)
            for finding in went_on(known, newer)[0].report.findings.warnings
        ]
        assert any("time zone" in text and "have none" in text for text in warned)
    with pytest.raises(
        ModelError, match=r"in UTC, but the saved model's are in UTC\+09:00"
    ):
        SavedContext(zoned).join(lc.read(later))
    odd = replace(zoned, report=replace(zoned.report, time_zone="Mars/Olympus"))
    with pytest.raises(
        ModelError,
        match=r"UTC and those of the saved model in Mars/Olympus.*Install the package tzdata",
    ):
        read_newer(later, odd)


def test_an_older_manifest_says_nothing_of_it(known):
    memory = SavedContext(known)
    older = {
        name: value
        for name, value in memory.described().items()
        if name not in ("time_zone", "reading", "label")
    }
    report = SavedContext.from_saved(older, memory.arrays()).panel.report
    assert report.time_zone is None and report.recipe == Recipe()


# ---- load


def test_load_reads_the_folder_once_and_no_other(saved, monkeypatch):
    read = []
    monkeypatch.setattr(
        store,
        "load",
        lambda folder, load=store.load: read.append(Path(folder)) or load(folder),
    )
    monkeypatch.setattr(
        beginning, "shipped", lambda: pytest.fail("the shipped network is not needed")
    )
    assert lc.load(saved).predict().horizon == 6
    assert read == [saved]


def test_folders_that_are_no_paths_are_refused(saved):
    for call in (lc.load, lc.load(saved).save):
        with pytest.raises(lc.UsageError, match="5 is not a path"):
            call(5)


def test_load_takes_other_levels(saved):
    assert lc.load(saved).quantiles == lc.LSTMForecaster(6).quantiles
    assert lc.load(saved, quantiles=(0.75, 0.25)).predict().quantile_levels == (
        0.25,
        0.75,
    )
    with pytest.raises(lc.UsageError, match="quantiles"):
        lc.load(saved, quantiles=(2.0,))
