"""Each rule speaks when it should, with series, line and value, and is silent otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import days, sales_table
from lstmcast.data.findings import Finding, Findings
from lstmcast.data.inspection import check
from lstmcast.data.outliers import outlier_scores
from lstmcast.data.panel import Panel, ReadOptions, Table
from lstmcast.data.tabular import check_table, panel_from_table
from lstmcast.errors import DataError, UsageError


def hours(start: str, count: int) -> np.ndarray:
    return np.datetime64(start, "us") + np.arange(count) * np.timedelta64(1, "h")


def only(given: Table, rule: str, **options) -> Finding:
    found = [
        finding
        for finding in check_table(given, ReadOptions(**options))
        if finding.rule == rule
    ]
    assert len(found) == 1, found
    return found[0]


WAVE = 10 + np.sin(np.arange(60))


def test_clean_data_have_no_findings():
    assert check_table(sales_table(days(60), WAVE)) == ()
    assert str(check_table(sales_table(days(60), WAVE))) == "no findings"


def test_repeated_times_name_both_lines_and_all_remedies():
    given = sales_table([*days(5), days(5)[2]], [1, 2, 3, 4, 5, 9])
    with pytest.raises(
        DataError,
        match=r"sales.csv: there are two rows for 2024-01-03 \(line 4 and line 7\)",
    ) as raised:
        panel_from_table(given)
    assert all(
        word in str(raised.value)
        for word in ("duplicates='mean'", "aggregate='sum'", "series='NAME'")
    )
    repaired = only(given, "duplicate times", duplicates="mean")
    assert (repaired.severity, repaired.line, repaired.value) == (
        "warning",
        7,
        "2024-01-03",
    )
    assert "Their mean is used." in repaired.action


def test_gaps_are_filled_or_refused():
    given = sales_table(days(10)[[0, 1, 2, 6, 7, 9]], range(6))
    found = only(given, "gaps")
    assert (
        found.message
        == "4 of 10 times have no row: the longest gap is from 2024-01-04 to 2024-01-06 (after "
        "line 4)"
    )
    assert (found.severity, found.count, found.line) == ("warning", 4, 4)
    assert only(given, "gaps", gaps="error").severity == "error"


def test_a_frequency_that_leaves_most_times_empty_is_doubted():
    given = sales_table(
        np.array(["2024-01", "2024-02", "2024-03", "2024-04"], "datetime64[M]"),
        range(4),
    )
    assert (
        "The times look monthly (month starts)"
        in only(given, "gaps", frequency="D").action
    )


def test_missing_and_infinite_values_have_line_and_count():
    found = only(sales_table(days(6), [1, np.nan, 3, np.nan, 5, 6]), "missing values")
    assert (
        found.message == "2 of 6 values are missing, the first at 2024-01-02 (line 3)"
    )
    assert (found.count, found.line) == (2, 3)
    assert (
        only(sales_table(days(4), [1, 2, -np.inf, 4]), "infinite values").value
        == "-inf"
    )


def test_unsorted_rows():
    assert only(sales_table(days(4)[[0, 2, 1, 3]], range(4)), "unsorted rows").line == 4
    assert (
        "newest to the oldest"
        in only(sales_table(days(4)[::-1], range(4)), "unsorted rows").message
    )


def test_mixed_frequencies_name_the_series():
    monthly = np.arange("2024-01", "2025-01", dtype="datetime64[M]").astype(
        "datetime64[us]"
    )
    given = sales_table([*days(60), *monthly], np.arange(72), ["d"] * 60 + ["m"] * 12)
    found = only(given, "mixed frequencies")
    assert (
        found.message == "most series are daily, but 1 is monthly (month starts) ('m')"
    )
    assert (found.severity, found.series, found.value) == ("error", "m", "MS")


def test_jittered_times_are_off_the_grid_and_named():
    times = hours("2024-01-01", 50)
    times[7] += np.timedelta64(420, "s")
    found = only(sales_table(times, np.arange(50)), "times off the grid")
    assert (
        found.message
        == "1 of 50 times is not hourly, the first 2024-01-01 07:07 (line 9)"
    )
    assert "--aggregate mean" in found.action


def test_one_time_off_the_grid_is_named():
    found = only(
        sales_table(np.repeat(days(1), 3), [1, 2, 3]),
        "times off the grid",
        frequency="QE",
    )
    assert (
        found.message
        == "1 of 1 times is not quarterly (quarter ends), the first 2024-01-01 (line 2)"
    )


def test_inexact_clocks_get_a_period_that_people_think_in():
    late = np.random.default_rng(0).integers(0, 300, 50).astype("timedelta64[s]")
    found = only(
        sales_table(hours("2024-01-01", 50) + late, np.arange(50)), "times off the grid"
    )
    assert found.message.startswith("the times have no regular frequency: ")
    assert "--frequency h or longer" in found.action


def test_events_that_fill_little_of_a_grid_get_advice_too():
    minutes = (
        np.random.default_rng(0).permutation(20_000)[:100].astype("timedelta64[m]")
    )
    times = np.sort(
        np.datetime64("2024-01-01", "us") + np.append(minutes, minutes[:50] + 1)
    )
    found = only(
        sales_table(np.unique(times), np.arange(len(np.unique(times)))), "gaps"
    )
    assert found.severity == "warning" and "--frequency h or longer" in found.action


def test_an_odd_first_time_is_the_one_that_is_named():
    times = hours("2024-01-01", 50)
    times[0] += np.timedelta64(60, "s")
    assert (
        only(sales_table(times, np.arange(50)), "times off the grid").value
        == "2024-01-01 00:01"
    )


def test_a_wrong_anchor_is_corrected():
    given = sales_table(["2024-01-31", "2024-02-29", "2024-03-31"], range(3))
    assert "--frequency ME" in only(given, "times off the grid", frequency="MS").action


def test_dates_and_numbers_need_their_own_frequency():
    assert (
        "times that are dates"
        in only(
            sales_table(days(5), range(5)), "frequency", frequency="integer"
        ).message
    )
    assert (
        "plain numbers"
        in only(sales_table(range(5), range(5)), "frequency", frequency="D").message
    )
    split = days(1) + np.arange(5) * np.timedelta64(100, "ms")
    assert (
        "not whole seconds" in only(sales_table(split, range(5)), "frequency").message
    )
    single = sales_table([days(1)[0]] * 3, range(3), ["a", "b", "c"])
    assert "no series has two times" in only(single, "frequency").message


def test_a_wrong_date_does_not_fill_the_memory():
    times = hours("2024-01-01", 100)
    times[-1] = np.datetime64("9024-01-05T03:00", "us")
    found = only(sales_table(times, np.arange(100)), "gaps")
    assert found.severity == "error"
    assert "2024-01-05 02:00 (line 100) to 9024-01-05 03:00 (line 101)" in found.message


@pytest.mark.parametrize("options", [{}, {"aggregate": "sum"}, {"aggregate": "mean"}])
def test_a_wrong_date_is_found_in_aggregations_too(options):
    times = hours("2024-01-01", 100)
    times[-1] = np.datetime64("9024-01-05T03:00", "us")
    given = sales_table(times, np.arange(100))
    assert only(given, "gaps", frequency="15min", **options).severity == "error"


def test_empty_periods_count_as_zero_and_an_outage_is_a_warning():
    weekly = sales_table(np.delete(days(70), slice(28, 35)), np.ones(63))
    found = only(weekly, "empty periods", aggregate="sum", frequency="W")
    assert (found.severity, found.count) == ("warning", 1)
    assert found.message == "1 of 10 periods has no rows: 2024-02-04"
    two = sales_table(
        [*days(70), *days(7), *days(70)[63:]], np.ones(84), ["x"] * 70 + ["y"] * 14
    )
    found = only(two, "empty periods", aggregate="sum", frequency="W")
    assert (
        found.severity == "note"
        and "have no rows, the first 2024-01-14 of series 'y'" in found.message
    )


def test_rows_that_are_copies_are_mentioned_where_they_are_added_up():
    twice, values = [*days(28), *days(28)], 3 * np.arange(28) % 17
    given = sales_table(twice, np.append(values, values))
    found = only(given, "copies", aggregate="sum", frequency="D")
    assert (found.severity, found.count) == (
        "warning",
        28,
    ) and "If they are copies" in found.text
    for both, method in (
        ([*values, *values], "mean"),
        ([*values, *values[::-1]], "sum"),
        (np.ones(56), "sum"),
    ):
        options = ReadOptions(aggregate=method, frequency="D")
        rules = [
            finding.rule for finding in check_table(sales_table(twice, both), options)
        ]
        assert "copies" not in rules


@pytest.mark.parametrize("how", ["sum", "count", "mean"])
def test_empty_periods_are_errors_where_gaps_are(how):
    given = sales_table(np.delete(days(70), slice(28, 42)), np.ones(56))
    with pytest.raises(
        DataError,
        match=r"2 of 10 (periods|times) have no row.*2024-02-04.*gaps='fill'",
    ):
        panel_from_table(given, ReadOptions(aggregate=how, frequency="W", gaps="error"))
    assert (
        len(panel_from_table(given, ReadOptions(aggregate=how, frequency="W")).values)
        == 10
    )


def test_repeats_have_no_remedy_of_their_own_in_an_aggregation():
    with pytest.raises(
        UsageError,
        match=r"duplicates='first' would have no effect, since .*aggregate='sum\'",
    ):
        ReadOptions(aggregate="sum", duplicates="first")


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ([], "there are no rows"),
        ([1.0], "only one value of 'y'. At least 3"),
        ([1.0, 2.0], "only 2 values"),
        ([np.nan] * 5, "all 5 values of 'y' are missing"),
    ],
)
def test_too_little_is_refused(values, match):
    with pytest.raises(DataError, match=match):
        panel_from_table(sales_table(days(len(values)), values))


def test_kinds():
    assert (
        only(
            sales_table(days(4), [1, -2, 3, 4]), "negative values", kind="positive"
        ).line
        == 3
    )
    found = only(
        sales_table(days(4), [1, 2.5, 3, 4]), "fractional counts", kind="count"
    )
    assert (found.value, found.severity) == ("2.5", "error")
    assert (
        check_table(sales_table(days(4), [0, 2, 3, 4]), ReadOptions(kind="count")) == ()
    )


def test_all_errors_are_told_at_once():
    given = sales_table(days(9)[[0, 1, 1, 5, 6, 7]], [1, -2, 3, 4, 5, 6.5])
    with pytest.raises(DataError, match="for 4 reasons") as raised:
        panel_from_table(given, ReadOptions(kind="count", gaps="error"))
    assert all(
        word in str(raised.value)
        for word in ("two rows for", "negative", "not whole", "no row")
    )


def test_many_series_with_the_same_trouble_make_one_finding():
    names = np.repeat([f"s{i}" for i in range(2000)], 4)
    found = only(
        sales_table(np.tile(days(4), 2000), np.tile([1, np.nan, 2, 4], 2000), names),
        "missing values",
    )
    assert found.count == 2000
    assert found.message.startswith(
        "missing values in 2,000 of 2,000 series, for example series 's0': 1 of 4 values"
    )
    assert len(str(found)) < 500


def test_time_zones_are_told():
    assert (
        only(sales_table(days(60), WAVE, time_zone="Europe/Berlin"), "time zone").value
        == "Europe/Berlin"
    )


def test_the_hour_that_spring_skips_is_named():
    times = np.concatenate(
        [
            hours("2023-03-25", 26),
            hours("2023-03-26T03:00", 24),
            hours("2023-03-27T09:00", 30),
        ]
    )
    given = sales_table(times, np.arange(len(times)) % 24)
    found = only(given, "daylight-saving step")
    assert (found.value, found.count, found.line) == ("2023-03-26 02:00", 1, 27)
    assert only(given, "gaps").count == 6


def test_the_hour_that_autumn_repeats_is_named():
    times = np.concatenate([hours("2023-10-28", 27), hours("2023-10-29T02:00", 40)])
    assert (
        "clocks are set back"
        in only(sales_table(times, np.arange(len(times))), "duplicate times").action
    )
    assert (
        "clocks"
        not in only(
            sales_table([*days(3), days(3)[1]], range(4)), "duplicate times"
        ).action
    )


def test_constant_and_short_series():
    panel = Panel.from_arrays(
        {"flat": [3.0] * 9, "short": [1.0, np.nan, 2.0], "fine": WAVE}
    )
    told = {(finding.rule, finding.series) for finding in panel.check()}
    assert told == {
        ("constant series", "flat"),
        ("too short", "short"),
        ("missing values", "short"),
    }


def test_outliers_are_spikes_and_not_trends_steps_or_seasons():
    rng = np.random.default_rng(0)
    t = np.arange(120)
    season = 100 + t + 30 * np.sin(t * np.pi / 6) + rng.normal(size=120)
    spike, step = season.copy(), season.copy()
    spike[[60, 119]] += 80
    step[60:] += 80
    given = {
        "season": season,
        "spike": spike,
        "step": step,
        "airline": season * np.exp(t / 40),
    }
    (found,) = Panel.from_arrays(given, frequency="MS", start="2010-01").check()
    assert (found.rule, found.series, found.count) == ("outliers", "spike", 2)


@pytest.mark.parametrize(
    ("absent", "expected"), [(0.0, True), (0.05, False), (0.7, False)]
)
def test_hours_missing_by_chance_are_no_change_of_clocks(absent, expected):
    grid = np.datetime64("2023-01-01T00", "h") + np.arange(365 * 24)
    known = np.random.default_rng(1).random(len(grid)) >= absent
    known &= grid != np.datetime64("2023-03-26T02", "h")
    known |= grid == np.datetime64("2023-03-26T01", "h")
    known |= grid == np.datetime64("2023-03-26T03", "h")
    times = grid[known]
    found = check_table(
        sales_table(times, np.arange(len(times))), ReadOptions(frequency="h")
    )
    assert ("daylight-saving step" in {one.rule for one in found}) == expected


def test_clock_changes_of_several_years_are_told_among_other_gaps():
    grid = np.datetime64("2019-01-01T00", "h") + np.arange(5 * 365 * 24)
    changes = ["2019-03-31", "2020-03-29", "2021-03-28", "2022-03-27", "2023-03-26"]
    around = np.add.outer(
        np.array(changes, "datetime64[D]").astype(grid.dtype), np.arange(1, 4)
    )
    known = np.random.default_rng(1).random(len(grid)) >= 0.02
    known |= np.isin(grid, around[:, [0, 2]])
    known &= ~np.isin(grid, around[:, 1])
    times = grid[known]
    given = sales_table(times, np.arange(len(times)))
    assert only(given, "daylight-saving step", frequency="h").count == 5


def test_outlier_scores_of_nothing_and_of_missing_values():
    assert outlier_scores(np.zeros(0), np.array([0]), (12,)).tolist() == []
    values = np.tile([1.0, 2.0, np.nan], 10)
    assert np.isfinite(outlier_scores(values, np.array([0, 30]), (1,))).all()


def test_a_panel_read_from_rows_repeats_what_reading_said_once():
    panel = panel_from_table(sales_table(days(6), [1.5, np.nan, 3, 5, 5, 6]))
    assert [finding.rule for finding in panel.check()] == ["missing values"]


def test_findings_are_a_tuple_with_columns():
    found = Findings(
        [
            Finding("gaps", "error", "one", line=3),
            Finding("missing values", "warning", "two", "Masked."),
        ]
    )
    assert [f.message for f in found.errors] == ["one"]
    assert [f.message for f in found.warnings] == ["two"]
    assert found.columns_dict()["line"] == [3, None]
    assert str(found) == "error: one.\nwarning: two. Masked."


@pytest.mark.parametrize("name", ["kind", "aggregate", "duplicates", "gaps", "missing"])
def test_unknown_options_are_refused_with_the_choices(name):
    with pytest.raises(UsageError, match=f"{name}='x' is not known. Choose one of: "):
        ReadOptions(**{name: "x"})


def test_what_are_no_options_is_refused():
    with pytest.raises(
        UsageError,
        match=r"options=\{'gaps': 'error'\} is not a ReadOptions object. Give one, such as",
    ):
        check([1.0, 2.0, 3.0], {"gaps": "error"})
    with pytest.raises(UsageError, match="is not a ReadOptions"):
        check([1.0, 2.0, 3.0], {})


def test_options_check_frequency_and_periods_at_once():
    with pytest.raises(UsageError, match="'soon' is not known"):
        ReadOptions(frequency="soon")
    with pytest.raises(UsageError, match="periods must be whole numbers"):
        ReadOptions(periods=(0,))


# ---- series that have stopped


def ragged(*lengths: int, times=days) -> Table:
    parts = [
        (times(length), WAVE[:length], [f"s{i}"] * length)
        for i, length in enumerate(lengths)
    ]
    return sales_table(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def test_a_series_that_ends_long_before_the_others_is_named():
    found = only(ragged(60, 20, 57), "no recent values")
    assert (found.series, found.line, found.severity) == ("s1", 81, "warning")
    assert found.message == (
        "series 's1': the last value is at 2024-01-20 (line 81), but other series continue until "
        "2024-02-29"
    )
    assert check_table(ragged(60, 57)) == ()  # three steps are a late report


def test_many_series_that_have_stopped_are_one_finding():
    found = only(ragged(60, *[20] * 7), "no recent values")
    assert found.series is None and found.message.startswith(
        "no recent values in 7 of 8 series, for example"
    )


def test_missing_values_at_the_end_are_told_once():
    given = ragged(60, 60)
    values = given.values.copy()
    values[80:] = np.nan
    assert (
        "the last 40 values are missing"
        in only(replace(given, values=values), "no recent values").message
    )


def test_numbered_steps_that_begin_alike_say_only_how_long_series_are():
    assert check_table(ragged(60, 20, times=lambda count: np.arange(count))) == ()
    shifted = sales_table(
        np.r_[0:60, 5:20], np.r_[WAVE, WAVE[:15]], ["a"] * 60 + ["b"] * 15
    )
    assert only(shifted, "no recent values").series == "b"


def test_a_code_for_missing_beside_other_values_is_a_value():
    """99 among 98 to 101 is nothing special; among 40 to 60 it may stand for nothing."""
    days = np.arange("2024-01-01", "2024-01-16", dtype="datetime64[D]")
    for others, expected in (
        ([100.0, 101.0], []),
        ([40.0, 60.0], ["codes for missing"]),
    ):
        found = check_table(sales_table(days, np.array([*others, 99.0] * 5)))
        rules = [finding.rule for finding in found]
        assert [rule for rule in rules if rule == "codes for missing"] == expected
