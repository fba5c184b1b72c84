"""Hours as power markets number them, and halves of the day in other languages."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.times.dates import parse_times

DAYS = ["2024-10-26", "2024-10-27", "2024-10-28"]
VALUES = [40.0 + n % 24 for n in range(72)]


def hourly(form: str) -> list[str]:
    places = [(day, hour) for day in DAYS for hour in range(24)]
    rows = zip(places, VALUES, strict=True)
    return [
        form.format(day=day, hour=hour, ending=hour + 1, next=(hour + 1) % 24)
        + f",{value}"
        for (day, hour), value in rows
    ]


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("time,price", "{day} HE{ending:02d}"),
        ("time,price", "{day} HE {ending}"),
        ("time,price", "{day} Hour {ending}"),
        ("time,price", "{day} H{hour:02d}"),
        ("date,HE,price", "{day},HE {ending}"),
        ("date,hour,price", "{day},{ending}"),
        ("date,hours,price", "{day},{hour:02d} - {next:02d}"),
        ("date,interval,price", "{day},{hour:02d}h-{ending:02d}h"),
    ],
)
def test_hours_are_read_as_their_beginnings(header, form, read_lines):
    panel = read_lines([header, *hourly(form)])
    assert panel.values.ravel().tolist() == VALUES
    assert str(panel.starts[0])[:16] == "2024-10-26T00:00"


def across(second: str) -> list[str]:
    names = [
        "Hour 1",
        "Hour 2",
        "Hour 3A",
        "Hour 3B",
        *[f"Hour {n}" for n in range(4, 25)],
    ]
    rows = []
    for number, day in enumerate(DAYS):
        cells = [str(value) for value in VALUES[24 * number : 24 * number + 24]]
        cells.insert(3, second if number == 1 else "")
        rows.append(",".join([day, *cells]))
    return [",".join(["date", *names]), *rows]


def test_an_hour_that_never_comes_twice_is_no_hour(read_lines):
    assert read_lines(across("")).values.ravel().tolist() == VALUES


def test_an_hour_that_comes_twice_is_its_mean(read_lines):
    panel = read_lines(across("52"))
    assert panel.values[26] == (42 + 52) / 2
    warning = next(f for f in panel.report.findings if f.severity == "warning")
    assert "two rows for 2024-10-27 02:00" in warning.message
    assert "clocks are set back" in warning.action
    assert read_lines(across("52"), duplicates="sum").values[26] == 42 + 52


def test_an_hour_with_a_letter_comes_twice(read_lines):
    rows = hourly("{day} HE{ending:02d}")
    rows[26:27] = ["2024-10-27 HE03A,42", "2024-10-27 HE03B,52"]
    panel = read_lines(["time,price", *rows])
    assert panel.values[26] == (42 + 52) / 2


def test_a_day_that_comes_twice_is_asked_about(read_lines):
    # the Sunday on which clocks are set back, at midnight
    rows = [f"2024-10-{day},{day}" for day in range(20, 31)]
    with pytest.raises(lc.DataError, match=r"two rows for 2024-10-27"):
        read_lines(["day,price", *rows, "2024-10-27,5"])


@pytest.mark.parametrize(
    ("morning", "evening"),
    [
        ("2024-03-01 上午 09:30:00", "2024-03-01 下午 09:30:00"),
        ("2024/3/1 오전 9:30", "2024/3/1 오후 9:30"),
        ("2024年3月1日 午前9:30", "2024年3月1日 午後9:30"),
        ("01/03/2024 09:30:00 a. m.", "01/03/2024 09:30:00 p. m."),
        ("01/03/2024 09:30 π.μ.", "01/03/2024 09:30 μ.μ."),
        ("01/03/2024 09:30 ص", "01/03/2024 09:30 م"),
    ],
)
def test_halves_of_the_day(morning, evening):
    times = parse_times([morning, evening], day_first=True)
    assert times is not None and not times.bad.any()
    expected = np.array(["2024-03-01T09:30", "2024-03-01T21:30"], "datetime64[us]")
    assert (times.values == expected).all()


@pytest.mark.parametrize(
    ("morning", "evening"), [("오전", "오후"), ("上午", "下午"), ("午前", "午後")]
)
def test_halves_of_the_day_in_a_column_of_their_own(morning, evening, read_lines):
    rows = []
    for (day, hour), value in zip(
        [(d, h) for d in DAYS for h in range(24)], VALUES, strict=True
    ):
        half = morning if hour < 12 else evening
        rows.append(f"{day},{half} {hour % 12 or 12}:00,{value}")
    assert read_lines(["date,time,price", *rows]).values.ravel().tolist() == VALUES


LANGUAGES = {
    "Arabic": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "Hindi": "जनवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर",
    "Greek": "Ιαν Φεβ Μαρ Απρ Μαϊ Ιουν Ιουλ Αυγ Σεπ Οκτ Νοε Δεκ",
    "Hebrew": "ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", ["{month} 2024", "2024 {month}", "1 {month} 2024"])
def test_months_of_further_languages(language, form):
    texts = [form.format(month=month) for month in LANGUAGES[language].split()]
    times = parse_times(texts)
    assert times is not None and not times.bad.any()
    months = times.values.astype("datetime64[M]").astype(int) - 12 * 54
    assert months.tolist() == list(range(12))
