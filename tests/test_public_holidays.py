"""Public holidays as columns that are known in advance."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc
from lstmcast.data.newer import read_newer
from lstmcast.errors import DataError, UsageError
from lstmcast.saved_context import SavedContext


def series(start, count, freq, **more):
    return {
        "ds": pd.date_range(start, periods=count, freq=freq),
        "y": np.arange(count) + 50.5,
    } | more


def held(panel, name="holiday"):
    """Times of the first series and what a column says there, where it is not 0 or "none"."""
    future = panel.covariates.future
    values = future.columns[name][: future.lengths[0]]
    times = panel.frequency.range(panel.starts[0], len(values))
    if name in future.levels:
        texts = np.array(future.levels[name], object)[values.astype(int)]
        return {
            str(t)[:10]: text
            for t, text in zip(times, texts, strict=True)
            if text != "none"
        }
    return {str(t)[:16]: value for t, value in zip(times, values, strict=True) if value}


# Bavaria in 2024, by its law of holidays (Feiertagsgesetz, Art. 1)
BAVARIA = {
    "2024-01-01": "New Year's Day",
    "2024-01-06": "Epiphany",
    "2024-03-29": "Good Friday",
    "2024-04-01": "Easter Monday",
    "2024-05-01": "Labor Day",
    "2024-05-09": "Ascension Day",
    "2024-05-20": "Pentecost Monday",
    "2024-05-30": "Corpus Christi",
    "2024-10-03": "German Unity Day",
    "2024-11-01": "All Saints' Day",
    "2024-12-25": "Christmas Day",
    "2024-12-26": "Second Day of Christmas",
}


def test_days_have_whether_and_which():
    panel = lc.read(series("2023-12-01", 100, "D"), holidays="DE-BY")
    names = held(panel, "holiday name")
    assert {day: name for day, name in names.items() if day[:4] == "2024"} == BAVARIA
    assert [day[:10] for day in held(panel)] == list(names)
    assert set(held(panel).values()) == {1.0}
    assert panel.covariates.future.lengths[0] == 100 + 732  # two years ahead
    assert not np.isnan(panel.covariates.future.columns["holiday name"]).any()
    told = "holidays of DE-BY until 2026-03-11: 'holiday' and 'holiday name'"
    assert told in str(panel.report.findings)


def test_every_hour_of_the_day_is_one():
    panel = lc.read(series("2024-03-28", 72, "h"), holidays="DE")
    first = list(held(panel))[:24]
    assert first[0] == "2024-03-29T00:00" and first[-1] == "2024-03-29T23:00"
    assert panel.covariates.future.lengths[0] == 72 + 17_544


@pytest.mark.parametrize(
    ("freq", "expected"),
    [
        # 29 March and 1 April; weeks of Mondays begin with it, others end on their day
        ("W-MON", {"2024-03-25": 1, "2024-04-01": 1, "2024-04-29": 1}),
        ("W-SUN", {"2024-03-31": 1, "2024-04-07": 1, "2024-05-05": 1}),
        ("W-FRI", {"2024-03-29": 1, "2024-04-05": 1, "2024-05-03": 1}),
        ("MS", {"2024-03-01": 1, "2024-04-01": 1, "2024-05-01": 4}),
        ("ME", {"2024-03-31": 1, "2024-04-30": 1, "2024-05-31": 4}),
    ],
)
def test_longer_steps_count_holidays_on_working_days(freq, expected):
    panel = lc.read(series("2024-02-01", 20, freq), holidays="DE-BY")
    found = {
        day[:10]: n
        for day, n in held(panel).items()
        if "2024-02-10" < day < "2024-06-02"
    }
    assert dict(list(found.items())[:3]) == expected
    named = "holiday name" in panel.covariates.future.columns
    assert named == freq.startswith("W")


def test_holidays_on_a_day_without_work_are_not_counted():
    # 3 May 2025 is a Saturday, 6 May made up for the Sunday of 4 May in Japan
    panel = lc.read(series("2025-04-27", 10, "W-SUN"), holidays="JP")
    # 5 and 6 May
    assert {day[:10]: n for day, n in held(panel).items()}["2025-05-11"] == 2
    assert held(panel, "holiday name")["2025-05-04"] == "Showa Day"


def test_several_countries_share_the_columns():
    both = held(
        lc.read(series("2024-10-01", 40, "D"), holidays="DE, JP"), "holiday name"
    )
    assert (
        both["2024-10-03"] == "German Unity Day" and both["2024-10-14"] == "Sports Day"
    )
    market = held(
        lc.read(series("2024-06-01", 40, "D"), holidays=["XNYS"]), "holiday name"
    )
    assert list(market)[:2] == ["2024-06-19", "2024-07-04"]


def test_they_stand_beside_other_columns():
    frame = series("2024-03-01", 60, "D", price=np.arange(60.0))
    frame["y"] = [*frame["y"][:50], *[np.nan] * 10]
    panel = lc.read(frame, target="y", future="price", holidays="DE")
    future = panel.covariates.future
    assert list(future.columns) == ["price", "holiday", "holiday name"]
    np.testing.assert_array_equal(future.columns["price"][:60], np.arange(60))
    assert np.isnan(future.columns["price"][60:]).all()
    with pytest.raises(
        DataError,
        match="the data have a column 'holiday', and so have the holidays of DE",
    ):
        taken = series("2024-03-01", 60, "D", holiday=[0.0, 1] * 30)
        lc.read(taken, target="y", future="holiday", holidays="DE")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("Germany", "holidays of 'Germany' are not known. Give a country, such as DE"),
        ("GR1", "holidays of 'GR1' are not known. Give a country, such as GR"),
        (
            "DE-XX",
            "DE has no subdivision 'XX' with known holidays. Choose one of: BB, BE, BW, BY",
        ),
        ("JP-13", "JP has no subdivision '13' with known holidays. Leave it out"),
        ("", "holidays='' does not name a country"),
    ],
)
def test_an_unknown_code_is_refused_with_near_ones(code, words):
    with pytest.raises(UsageError, match=words):
        lc.read("not-looked-for.csv", holidays=code)


def test_what_is_no_code_is_refused():
    with pytest.raises(UsageError, match="holidays=7 is not a column name"):
        lc.read("not-looked-for.csv", holidays=7)


def test_months_that_are_named_by_a_late_day_have_them():
    ends = ["2024-01-30", "2024-02-29", "2024-03-30", "2024-04-30", "2024-05-30"]
    panel = lc.read({"ds": ends, "y": np.arange(5.0)}, holidays="DE-BY")
    assert panel.covariates.future.columns["holiday"][:5].tolist() == [1, 0, 1, 1, 4]


def test_numbered_steps_have_none():
    with pytest.raises(
        DataError, match="holidays of DE cannot be added: the steps are numbered"
    ):
        lc.read({"y": np.arange(20.0)}, holidays="DE")


def test_years_that_are_not_known_are_said():
    panel = lc.read(series("1900-01-01", 60, "MS"), holidays="CN")
    assert "holidays of CN are only known from 1950 to" in str(panel.report.findings)
    assert not held(panel)


def test_newer_data_for_a_saved_model_have_them_too():
    panel = lc.read(series("2024-01-01", 60, "D"), holidays="DE-BY")
    context = SavedContext(panel)
    manifest = json.loads(json.dumps(context.described()))
    context = SavedContext.from_saved(manifest, context.arrays())
    assert context.panel.report.recipe.holidays == ("DE-BY",)
    newer = read_newer(series("2024-03-01", 30, "D"), context.panel)
    joined = context.join(newer).panel
    names = held(joined, "holiday name")
    assert {day: name for day, name in names.items() if day[:4] == "2024"} == BAVARIA


def test_the_command_reads_them(run, tmp_path):
    place = tmp_path / "a.csv"
    pd.DataFrame(series("2024-01-01", 60, "D")).to_csv(place, index=False)
    done = run("check", place, "--holidays", "JP,US-CA")
    assert (
        done.status == 0 and "  known in advance: holiday, holiday name\n" in done.out
    )
    wrong = run("check", place, "--holidays", "Japan")
    assert wrong.status == 2 and "such as JP" in wrong.err
