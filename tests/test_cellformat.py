"""How cells are written, said or found: codes for missing values, marks, orders, headers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from builders import MONTHS

DAYS = [f"2022-01-{day:02d}" for day in range(1, 29)]


def write(folder: Path, *lines: str) -> Path:
    path = folder / "data.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rules(panel: lc.Panel) -> list[str]:
    return [finding.rule for finding in panel.check()]


# ---------------------------------------------------------------- thousands


@pytest.mark.parametrize(
    "lines",
    [
        [
            "Datum;Menge",
            *[
                f"{d:02d}.01.2022;{5 + d // 9}.{d * 17 % 1000:03d}"
                for d in range(1, 29)
            ],
        ],
        [
            "Tag;Menge;Preis",
            *[f"{day};{n + 1}.{n * 31:03d};{n},5" for n, day in enumerate(DAYS)],
        ],
        [
            "Tag\tMenge\tPreis",
            *[f"{day}\t{n + 1}.{n * 31:03d}\t{n},5" for n, day in enumerate(DAYS)],
        ],
        ["Datum;Menge", *[f"{d:02d}.01.2022;{d}.000 €" for d in range(1, 29)]],
    ],
)
def test_points_group_thousands_where_the_file_says_so(lines, tmp_path):
    panel = lc.read(write(tmp_path, *lines), target="Menge")
    assert panel.values.min() >= 1000
    if "€" not in lines[1]:
        assert any("decimal='.'" in str(finding) for finding in panel.check().warnings)


@pytest.mark.parametrize("mark", [("$", ","), ("€", ".")])
def test_money_has_no_three_decimals(mark, tmp_path):
    sign, point = mark
    lines = [f"{day}\t{sign} {n + 10}{point}{n * 31:03d}" for n, day in enumerate(DAYS)]
    panel = lc.read(write(tmp_path, "day\tsold", *lines))
    assert panel.values.min() >= 10_000
    assert any("amounts of money" in str(finding) for finding in panel.check().warnings)


@pytest.mark.parametrize("minus", ["▲", "△ "])
def test_triangles_of_japanese_accounts_stand_before_whole_numbers(minus, tmp_path):
    lines = [
        f"{day};{minus if n % 3 == 0 else ''}{n + 10},{n * 31:03d}"
        for n, day in enumerate(DAYS)
    ]
    panel = lc.read(write(tmp_path, "day;profit", *lines))
    assert panel.values[0] == -10_000 and abs(panel.values).min() >= 10_000


def test_prices_with_three_decimals_stay_so(tmp_path):
    lines = [f"{day};1.{400 + n * 7} €" for n, day in enumerate(DAYS)]
    panel = lc.read(write(tmp_path, "day;price", *lines))
    assert panel.values.max() < 2


def test_points_that_nothing_explains_stay_with_a_warning(tmp_path):
    lines = ["day;sold", *[f"{day};{n + 1}.{n * 31:03d}" for n, day in enumerate(DAYS)]]
    panel = lc.read(write(tmp_path, *lines))
    assert panel.values.max() < 29
    warned = [str(finding) for finding in panel.check().warnings]
    assert any("1.000 can be read as 1.000 or as 1000" in text for text in warned)
    again = lc.read(write(tmp_path, *lines), decimal=",")
    assert again.values.min() >= 1000 and not again.check().warnings


@pytest.mark.parametrize(
    "lines",
    [
        ["day,degrees", *[f"{day},{n + 1}.{n * 31:03d}" for n, day in enumerate(DAYS)]],
        ["day;degrees", *[f"{day};{n}.{n * 31:03d}" for n, day in enumerate(DAYS)]],
        [
            "day;degrees;x",
            *[f"{day};{n + 1}.{n * 31:03d};1.5{n}" for n, day in enumerate(DAYS)],
        ],
    ],
)
def test_measurements_with_three_decimals_stay_so(lines, tmp_path):
    panel = lc.read(write(tmp_path, *lines), target="degrees")
    assert panel.values.max() < 100 and not panel.check().warnings


def test_a_large_file_with_grouped_points_is_read_alike(tmp_path):
    times = np.datetime64("2000-01-01") + np.arange(120_000).astype("timedelta64[h]")
    days = [str(time).replace("T", " ") for time in times.astype("datetime64[m]")]
    lines = [
        "Zeit;Menge;Preis",
        *[f"{t};{n % 9 + 1}.{n % 1000:03d};{n % 7},5" for n, t in enumerate(days)],
    ]
    panel = lc.read(write(tmp_path, *lines), target="Menge")
    assert panel.values.min() >= 1000


# ---------------------------------------------------------------- codes for missing


@pytest.mark.parametrize(
    "code", ["-200", "-999", "-9999", "9999", "999.9", "99999", "-99.9", "1e20"]
)
def test_a_code_for_missing_is_asked_about(code, tmp_path):
    lines = [
        f"{day},{code if n % 7 == 3 else 5 + n % 5 / 10}" for n, day in enumerate(DAYS)
    ]
    path = write(tmp_path, "day,co", *lines)
    found = [f for f in lc.read(path).check() if f.rule == "codes for missing"]
    assert len(found) == 1 and f"--missing-codes {float(code):.15g}" in found[0].text
    panel = lc.read(path, missing_codes=float(code))
    assert np.isnan(panel.values).sum() == 4 and "codes for missing" not in rules(panel)


def test_two_codes_are_advised_together(tmp_path):
    lines = [
        f"{day},{-999 if n % 7 == 3 else 9999 if n % 7 == 5 else n}"
        for n, day in enumerate(DAYS)
    ]
    found = [
        f
        for f in lc.read(write(tmp_path, "day,x", *lines)).check()
        if "codes" in f.rule
    ]
    assert len(found) == 2 and "--missing-codes -999,9999" in found[0].text


@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 5 + [100.0] * 23,  # zeros are values
        [5.0] * 27 + [80.0],  # one spike
        [float(n) for n in range(28)],
        [1.0, 2.0, 3.0, 9.0] * 7,
        [99.0, 98.0, 97.0, 96.0] * 7,  # percents
        [100.0] * 20 + [20.0] * 8,  # a level
    ],
)
def test_ordinary_values_are_no_codes(values, tmp_path):
    lines = [f"{day},{value}" for day, value in zip(DAYS, values, strict=True)]
    assert "codes for missing" not in rules(lc.read(write(tmp_path, "day,x", *lines)))


@pytest.mark.parametrize(
    "words", [["Bad Input"], ["Bad Input", "Comm Fail"], ["I/O Timeout"], ["x"]]
)
def test_words_among_numbers_are_asked_about_with_what_to_write(words, tmp_path):
    lines = [
        f"{d},{words[n // 7 % len(words)] if n % 7 == 3 else n}"
        for n, d in enumerate(DAYS)
    ]
    path = write(tmp_path, "day,level", *lines)
    codes = ",".join(words)
    with pytest.raises(lc.DataError, match="means a missing value") as caught:
        lc.read(path)
    assert f"missing_codes={words if len(words) > 1 else words[0]!r}" in str(
        caught.value
    )
    assert np.isnan(lc.read(path, missing_codes=codes).values).sum() == 4
    assert (
        np.isnan(
            lc.read(path, missing_codes=[word.upper() for word in words]).values
        ).sum()
        == 4
    )


@pytest.mark.parametrize(
    ("code", "value"), [("<1=0.5", 0.5), ("<1=0", 0.0), ("<1", np.nan)]
)
def test_less_than_one_is_what_somebody_says(code, value, tmp_path):
    lines = [f"{day},{'<1' if n == 9 else 20 + n}" for n, day in enumerate(DAYS)]
    path = write(tmp_path, "day,searches", *lines)
    with pytest.raises(lc.DataError, match="missing_codes='<1=1'"):
        lc.read(path)
    np.testing.assert_equal(lc.read(path, missing_codes=code).values[9], value)


def test_codes_do_not_touch_ids(tmp_path):
    lines = [
        f"{day},{s},{-99 if n == 5 else n}"
        for s in (-99, 7)
        for n, day in enumerate(DAYS)
    ]
    panel = lc.read(write(tmp_path, "day,shop,sold", *lines), missing_codes=-99)
    assert panel.ids.tolist() == ["-99", "7"] and np.isnan(panel.values).sum() == 2


def test_codes_in_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "ds": pandas.to_datetime(DAYS),
            "y": [-999 if n == 3 else n for n in range(28)],
        }
    )
    assert np.isnan(lc.read(frame, missing_codes=-999).values).sum() == 1


# ---------------------------------------------------------------- dates and headers


@pytest.mark.parametrize(
    ("day_first", "first"), [(True, "2022-02-01"), (False, "2022-01-02")]
)
def test_the_order_of_dates_can_be_said(day_first, first, tmp_path):
    path = write(
        tmp_path,
        "when,x",
        "01/02/2022,1",
        "03/02/2022,2",
        "04/05/2022,3",
        "07/09/2022,4",
    )
    with pytest.raises(lc.DataError, match="day_first=True or day_first=False"):
        lc.read(path)
    times = lc.read(path, day_first=day_first, frequency="D").starts
    assert str(times[0])[:10] == first


def test_clock_times_tell_the_order_of_dates(tmp_path):
    days = ["06/11/2001", "06/12/2001"]
    clocks = [
        f"{h or 12}:{m}0:00 {half}"
        for half in ("AM", "PM")
        for h in range(12)
        for m in range(6)
    ]
    stamps = [f"{day}  {clock}" for day in days for clock in clocks]
    panel = lc.read(
        write(tmp_path, "Time,Speed", *[f"{s},{n}" for n, s in enumerate(stamps)])
    )
    assert panel.frequency.code == "10min" and str(panel.starts[0])[:10] == "2001-06-11"


def test_a_format_of_dates_can_be_said(tmp_path):
    lines = [f"d{day[8:]}m{day[5:7]}y22,{n}" for n, day in enumerate(DAYS)]
    path = write(tmp_path, "day,x", *lines)
    panel = lc.read(path, date_format="d%dm%my%y")
    assert (panel.frequency.code, str(panel.starts[0])[:10]) == ("D", "2022-01-01")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"date_format": "dd.mm.yyyy"}, "strptime"),
        ({"decimal": ";"}, "decimal=';' is not known"),
        ({"header": 0}, "header=0 is not a line number"),
        ({"header": 99}, "line 99 cannot be the header"),
    ],
)
def test_what_cannot_be_is_refused(words, said, tmp_path):
    path = write(tmp_path, "day,x", *[f"{day},1" for day in DAYS])
    with pytest.raises(lc.LstmcastError, match=said):
        lc.read(path, **words)


def test_the_header_can_be_said(tmp_path):
    lines = [f"{day},{n},{n}" for n, day in enumerate(DAYS)]
    path = write(tmp_path, "day,a,b", "date,sold,open", *lines)
    assert lc.read(path, target="a").columns.target == "a"
    assert lc.read(path, target="sold", header=2).columns.target == "sold"


@pytest.mark.parametrize("shift", [0.0, 0.25])
def test_serial_days_of_a_spreadsheet(shift, tmp_path):
    lines = [
        f"{44562 + n + shift:.2f},{n}" if shift else f"{44562 + n},{n}"
        for n in range(28)
    ]
    panel = lc.read(write(tmp_path, "Date,Sales", *lines))
    assert str(panel.starts[0])[:13] == ("2022-01-01T06" if shift else "2022-01-01T00")
    assert any(
        "serial days of a spreadsheet" in str(finding) for finding in panel.check()
    )


@pytest.mark.parametrize(
    ("labels", "code"),
    [
        (["1994/ 1- 3.", "4- 6.", "7- 9.", "10-12."] * 4, "QS"),
        (["2010 Jan", *MONTHS[1:]] * 2, "MS"),
        (["2010年1月", *[f"{month}月" for month in range(2, 13)]] * 2, "MS"),
        (["2022-03-01 00:00", *[f"{hour:02d}:00" for hour in range(1, 24)]] * 2, "h"),
        (["Jan 2010", *MONTHS[1:]] * 2, "MS"),
        (["2010", *MONTHS] * 2, "MS"),
    ],
)
def test_labels_are_completed_by_what_stands_above(labels, code, tmp_path):
    half = len(labels) // (4 if code == "QS" else 2)
    years = {"1994": ["1994", "1995", "1996", "1997"], "2010": ["2010", "2011"]}
    written = []
    for n, label in enumerate(labels):
        for year, later in years.items():
            label = label.replace(year, later[n // half]) if year in label else label
        written.append(label.replace("03-01", f"03-0{n // half + 1}"))
    lines = [
        f"{label},{'' if label in ('2010', '2011') else n}"
        for n, label in enumerate(written)
    ]
    panel = lc.read(write(tmp_path, "when,x", *lines))
    assert panel.frequency.code == code and not np.isnan(panel.values).any()


# ---------------------------------------------------------------- the same words everywhere


def test_check_takes_the_words_of_read(tmp_path):
    path = write(
        tmp_path,
        "day,x",
        *[f"{day},{-999 if n == 4 else n}" for n, day in enumerate(DAYS)],
    )
    found = lc.check(path, time="day", target="x", missing_codes=-999, gaps="error")
    assert [finding.rule for finding in found] == ["missing values", "counts"]


def test_a_panel_needs_no_words(tmp_path):
    panel = lc.Panel.from_arrays(np.arange(30.0))
    with pytest.raises(lc.UsageError, match="time would have no effect"):
        lc.backtest(lc.LSTMForecaster(3), panel, time="day")


def test_forecasts_and_backtests_take_the_words_of_read(tmp_path):
    lines = [f"{day},{n % 7},{n}" for n, day in enumerate(DAYS)]
    path = write(tmp_path, "day,a,b", *lines)
    model = lc.LSTMForecaster(3)
    forecast = model.predict(path, target="a", level=[50, 80])
    assert forecast.quantile_levels == (0.1, 0.25, 0.5, 0.75, 0.9)
    assert lc.backtest(model, path, target="b", cutoffs=1).horizon == 3
    with pytest.raises(lc.UsageError, match="level=100"):
        model.predict(path, target="a", level=100)


def test_a_first_row_whose_time_is_a_word_is_left_out_with_a_warning(tmp_path):
    panel = lc.read(
        write(tmp_path, "day,x", "pending,120", *[f"{day},5" for day in DAYS])
    )
    assert any(
        "'pending' is not a date" in str(finding) for finding in panel.check().warnings
    )
    panel = lc.read(
        write(tmp_path, "day,x", *[f"{day},5" for day in DAYS], "Total,140")
    )
    assert not panel.check().warnings
