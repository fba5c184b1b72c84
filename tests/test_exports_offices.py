"""Files as offices and programs give them out: codes before times, text around small tables, signs
of programmers and accountants."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from lstmcast.errors import DataError

MONTHS = [date(2020 + n // 12, n % 12 + 1, 1) for n in range(24)]
DAYS = [date(2023, 1, 1) + timedelta(n) for n in range(40)]
VALUES = [100.5 + 7 * n % 31 for n in range(24)]


def read_as(panel):
    return panel.frequency.code, str(panel.starts[0])[:10], panel.values.tolist()


MONTHLY = ("MS", "2020-01-01", VALUES)


@pytest.mark.parametrize(
    "form",
    [
        "VPIZR-{0:%Y%m}",
        "MSitAE-{0:%B}-{0:%Y}",
        "KPI.{0:%Y-%m}",
        "RES_{0:%Y%m%d}",
        "RTT/{0:%b %Y}",
    ],
)
def test_a_code_before_times_is_left_off(form, read_lines):
    rows = [
        f"{form.format(day)},{value}" for day, value in zip(MONTHS, VALUES, strict=True)
    ]
    panel = read_lines(["Period,Value", *rows])
    assert read_as(panel) == MONTHLY
    assert any("before every time" in f.message for f in panel.report.findings)


@pytest.mark.parametrize("form", ["Store {}", "INV-2020{:02}", "R{:03}"])
def test_names_with_numbers_are_no_times(form, read_lines):
    rows = [f"{form.format(n)},{n}" for n in range(1, 25)]
    with pytest.raises(DataError, match="no column of dates"):
        read_lines(["Name,Value", *rows])


@pytest.mark.parametrize("decimal", [",", "."])
def test_a_small_table_between_much_text_has_its_own_delimiter(decimal, read_lines):
    names = ";".join(f'"{day:%m/%Y}"' for day in MONTHS)
    values = ";".join(f'"{value}"'.replace(".", decimal) for value in VALUES)
    text = ['"Table 7, prices, base 2015"', '"Variation (%)"']
    panel = read_lines([*text, f'"";{names}', f'"All";{values}', '"Source: office"'])
    assert read_as(panel) == MONTHLY


def test_a_table_of_spaces_below_a_page_of_text(read_lines):
    text = ["Consumer Prices", "Original Data Value", "", "Series Id:   CU1"]
    text += ["Not adjusted", "Area:   All", "Base Period:  1982-84=100", ""]
    names = "Year   " + "   ".join(f"{day:%b}" for day in MONTHS[:12])
    rows = [
        f"{2020 + n}   " + "   ".join(map(str, VALUES[12 * n : 12 * n + 12]))
        for n in (0, 1)
    ]
    assert read_as(read_lines([*text, names, *rows])) == MONTHLY


def test_quotes_behind_another_delimiter_do_not_swallow_lines(read_lines):
    header = [',"Turnover ;  Wales ;  Total ;"', "Unit,$ Millions", "Series ID,A1"]
    rows = [f"{d:%b-%Y},{value}" for d, value in zip(MONTHS, VALUES, strict=True)]
    assert read_as(read_lines([*header, *rows])) == MONTHLY


@pytest.mark.parametrize("form", ["{m:02}'{y:02}", "{y:02}'{m:02}", "{m:02}'20{y}"])
def test_months_and_years_with_an_apostrophe_between_them(form, read_lines):
    rows = [
        f"{form.format(m=day.month, y=day.year % 100)},{value}"
        for day, value in zip(MONTHS, VALUES, strict=True)
    ]
    assert read_as(read_lines(["month,sales", *rows])) == MONTHLY


@pytest.mark.parametrize("form", ["{}{}Q", "{}0{}Q", "{}{}q"])
def test_a_letter_behind_quarters(form, read_lines):
    rows = [f"{form.format(2015 + n // 4, n % 4 + 1)},{n}" for n in range(24)]
    rows[1] = "201502Q,1"
    panel = read_lines(["period,value", *rows])
    assert read_as(panel) == ("QS", "2015-01-01", list(range(24)))


@pytest.mark.parametrize("header", ["Év;Hónap;Ipar", "Rok;Mjesec;Indeks"])
def test_years_with_a_point_that_stand_only_in_januaries(header, read_lines):
    names = ["január", "február", "március", "április", "május", "június"]
    names += ["július", "augusztus", "szeptember", "október", "november", "december"]
    rows = [
        f"{f'{day.year}.' if day.month == 1 else ''};{names[day.month - 1]};{value}"
        for day, value in zip(MONTHS, VALUES, strict=True)
    ]
    assert read_as(read_lines([header, *rows])) == MONTHLY


@pytest.mark.parametrize("form", ["{:_}", "{:_}.5", " {:_}"])
def test_thousands_grouped_by_underscores(form, read_lines):
    numbers = [950 + 1250 * n for n in range(40)]
    rows = [f"{day},{form.format(n)}" for day, n in zip(DAYS, numbers, strict=True)]
    half = 0.5 if form.endswith("5") else 0
    assert read_lines(["day,units", *rows]).values.tolist() == [
        number + half for number in numbers
    ]


@pytest.mark.parametrize("form", ["[{:,.2f}]", "[${:,.2f}]", "[ {:,.2f} ]"])
def test_square_brackets_are_a_minus_beside_numbers_without(form, read_lines):
    numbers = [1000.0 - 75.25 * n for n in range(40)]
    rows = [
        f'{day},"{form.format(-n) if n < 0 else n}"'
        for day, n in zip(DAYS, numbers, strict=True)
    ]
    assert read_lines(["day,cash flow", *rows]).values.tolist() == numbers


@pytest.mark.parametrize("zone", ["CEST", "SAST", "ET", "SGT", "PKT", "WIB"])
def test_one_zone_behind_clock_times_is_left_off(zone, read_lines):
    rows = [f"2024-03-{1 + n // 24:02} {n % 24:02}:00 {zone},{n}" for n in range(72)]
    panel = read_lines(["time,load", *rows])
    assert read_as(panel) == ("h", "2024-03-01", list(range(72)))


@pytest.mark.parametrize("last", ["Tahunan", "Jahresmittel", "Año", "Avg"])
def test_rows_below_the_months_may_have_any_name(last, read_lines):
    names = [f"{date(2020, m, 1):%B}" for m in range(1, 13)]
    rows = [f"{name};{VALUES[m]};{VALUES[12 + m]}" for m, name in enumerate(names)]
    panel = read_lines(["Month;2020;2021", *rows, f"{last};1200;1300"])
    assert read_as(panel) == MONTHLY
    assert any(last in finding.message for finding in panel.report.findings)


@pytest.mark.parametrize("order", [(2020, 2021), (2021, 2020)])
def test_two_years_across_and_months_down(order, read_lines):
    rows = []
    for m in range(12):
        cells = [VALUES[12 * (year - 2020) + m] for year in order]
        rows.append(f"{date(2020, m + 1, 1):%b},{cells[0]},{cells[1]}")
    header = ",".join(map(str, order))
    assert read_as(read_lines([f"Month,{header}", *rows])) == MONTHLY


@pytest.mark.parametrize("name", ["日期", "資料日期", "民國年月日"])
def test_days_of_the_republic_without_signs(name, read_lines):
    rows = [f"{day.year - 1911}{day:%m%d},{n}" for n, day in enumerate(DAYS)]
    panel = read_lines([f"{name},人次", *rows])
    assert read_as(panel) == ("D", "2023-01-01", list(range(40)))


@pytest.mark.parametrize(("name", "first"), [("年月", 2018), ("統計期別", 2009)])
def test_months_of_the_republic_without_signs(name, first, read_lines):
    months = [(first - 1911 + n // 12, n % 12 + 1) for n in range(36)]
    rows = [f"{year}{month:02},{n}" for n, (year, month) in enumerate(months)]
    panel = read_lines([f"{name},人次", *rows])
    assert read_as(panel) == ("MS", f"{first}-01-01", list(range(36)))


def test_days_with_a_century_are_none_of_the_republic(read_lines):
    rows = [f"1{day:%y%m%d},{n}" for n, day in enumerate(DAYS)]
    assert read_as(read_lines(["日期,数量", *rows]))[1] == "2023-01-01"


@pytest.mark.parametrize("form", ["{} {}", "{}. {}", "{}, {}"])
def test_tuesdays_are_no_months_before_whole_dates(form, read_lines):
    names = ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"]
    rows = [
        f"{form.format(names[day.weekday()], f'{day:%d/%m/%Y}')};{n}"
        for n, day in enumerate(DAYS)
    ]
    panel = read_lines(["Día;Pasajeros", *rows])
    assert read_as(panel) == ("D", "2023-01-01", list(range(40)))


@pytest.mark.parametrize(
    ("form", "months", "first"),
    [
        ("{0:%b}-{1:%b} {1:%Y}", 3, "2020-02-01"),
        ("{0:%b} to {1:%b} {1:%Y}", 3, "2020-02-01"),
        ("{0:%b} {0:%Y} - {1:%b} {1:%Y}", 12, "2020-06-01"),
    ],
)
def test_spans_that_overlap_are_their_middle_months(form, months, first, read_lines):
    ends = [
        date(2020 + (n + months - 1) // 12, (n + months - 1) % 12 + 1, 1)
        for n in range(24)
    ]
    rows = [
        f"{form.format(begin, end)},{value}"
        for begin, end, value in zip(MONTHS, ends, VALUES, strict=True)
    ]
    assert read_as(read_lines(["Period,Rate (%)", *rows])) == ("MS", first, VALUES)


@pytest.mark.parametrize("names", ["isoyear,isoweek", "ISO year,ISO week"])
def test_iso_years_and_weeks_in_columns(names, read_lines):
    weeks = [(date(2019, 12, 30) + timedelta(7 * n)).isocalendar() for n in range(60)]
    rows = [f"{year},{week},{n}" for n, (year, week, _) in enumerate(weeks)]
    panel = read_lines([f"{names},animals", *rows])
    assert read_as(panel) == ("W-MON", "2019-12-30", list(range(60)))


@pytest.mark.parametrize(
    "names", ["count,gross", "orders,net_sales", "Qty,Total", "Price,Volume"]
)
def test_counts_beside_sums_are_asked_about(names, read_lines):
    rows = [f"{day},{n},{n * 9.5}" for n, day in enumerate(DAYS)]
    with pytest.raises(DataError, match="2 numeric columns"):
        read_lines([f"day,{names}", *rows])


def test_clock_times_up_to_24_are_said_to_be_ends(read_lines):
    rows = [f"{day};{n:02}:00;{n}" for day in DAYS[:3] for n in range(1, 25)]
    panel = read_lines(["Datum;Uhrzeit;kW", *rows])
    assert read_as(panel) == ("h", "2023-01-01", list(range(1, 25)) * 3)
    assert any("by their ends" in f.message for f in panel.report.findings)


@pytest.mark.parametrize(
    "names",
    [
        "yanvar fevral mart aprel may iyun iyul avgust sentabr oktabr noyabr dekabr",
        "urtarrila otsaila martxoa apirila maiatza ekaina uztaila abuztua iraila urria "
        "azaroa abendua",
        "janar shkurt mars prill maj qershor korrik gusht shtator tetor nëntor dhjetor",
        "Jän. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
        "sij velj ožu tra svi lip srp kol ruj lis stu pro",
        "led úno bře dub kvě čvn čvc srp zář říj lis pro",
        "sty lut mar kwi maj cze lip sie wrz paź lis gru",
        "Jan Feb Mac Apr Mei Jun Jul Ogos Sep Okt Nov Dis",
        "Jan Feb Mar Apr Mei Jun Jul Agt Sep Okt Nov Des",
        "იანვარი თებერვალი მარტი აპრილი მაისი ივნისი ივლისი აგვისტო სექტემბერი "
        "ოქტომბერი ნოემბერი დეკემბერი",
        "қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүйек қазан қараша "
        "желтоқсан",
    ],
)
@pytest.mark.parametrize("form", ["{} {}", "{}-{}"])
def test_names_of_months_in_more_languages(names, form, read_lines):
    words = names.split()
    rows = [
        f"{form.format(words[day.month - 1], day.year)},{value}"
        for day, value in zip(MONTHS, VALUES, strict=True)
    ]
    assert read_as(read_lines(["month,value", *rows])) == MONTHLY


@pytest.mark.parametrize("form", ["total;{:%B};{};[pcs]", "Cars | {1}-{0:%m} | t"])
def test_months_across_between_words_that_do_not_change(form, read_lines):
    names = ",".join(f'"{form.format(day, day.year)}"' for day in MONTHS)
    rows = [f"{region}," + ",".join(map(str, VALUES)) for region in "AB"]
    panel = read_lines([f"region,{names}", *rows])
    assert read_as(panel.select(["A"])) == MONTHLY


@pytest.mark.parametrize("form", ["{0.month}/{0.day}", "{0:%d %b}", "{0:%d.%m.}"])
def test_years_across_and_their_days_down(form, read_lines):
    days = [date(2023, 1, 1) + timedelta(n) for n in range(365)]
    rows = [f"{form.format(day)},{n},{n + 365}" for n, day in enumerate(days)]
    panel = read_lines(["Date,2022,2023", *rows])
    assert read_as(panel) == ("D", "2022-01-01", list(range(730)))


def test_years_across_need_not_follow_each_other(read_lines):
    days = [date(2023, 1, 1) + timedelta(n) for n in range(60)]
    rows = [f"{day.month}/{day.day},{n},{n + 1},{n + 2}" for n, day in enumerate(days)]
    panel = read_lines(["Date,2023,2022,2019", *rows])
    assert (len(panel), panel.frequency.code) == (1, "D")
    assert str(panel.starts[0])[:10] == "2019-01-01"


@pytest.mark.parametrize("count", [2, 4, 6, 12])
@pytest.mark.parametrize("first", [0, 1])
def test_intervals_are_numbered_in_each_hour(count, first, read_lines):
    rows = [
        f"2023-01-{1 + n // (24 * count):02},{n // count % 24},{n % count + first},{n}"
        for n in range(48 * count)
    ]
    panel = read_lines(["OPR_DT,OPR_HR,OPR_INTERVAL,LMP", *rows])
    assert (len(panel), panel.frequency.code) == (1, f"{60 // count}min")
    assert panel.values.tolist() == list(range(48 * count))


@pytest.mark.parametrize("names", ["ISO_YEAR,ISO_WEEK", "MMWR Year,MMWR Week"])
def test_years_and_weeks_beside_days_are_no_targets(names, read_lines):
    weeks = [date(2023, 1, 2) + timedelta(7 * n) for n in range(40)]
    rows = [f"{day},{day.year},{n + 1},{3 * n}" for n, day in enumerate(weeks)]
    panel = read_lines([f"Week starting,{names},cases", *rows])
    assert read_as(panel) == ("W-MON", "2023-01-02", list(range(0, 120, 3)))


def test_months_indented_by_points_below_their_years(read_lines):
    rows = []
    for n, day in enumerate(MONTHS):
        if day.month == 1:
            rows.append(f"{day.year};{sum(VALUES[n : n + 12])}")
        rows.append(f"..{day:%B}/{day.year};{VALUES[n]}")
    panel = read_lines(["Ano/mês;Internações", *rows, f"Total;{sum(VALUES)}"])
    assert read_as(panel) == MONTHLY


@pytest.mark.parametrize("word", ["Werk", "plant"])
def test_numbers_of_plants_name_series(word, read_lines):
    rows = [f"{day:%m.%Y};{plant};{plant}" for day in MONTHS for plant in (1000, 2000)]
    panel = read_lines([f"Monat;{word};Stück", *rows])
    assert panel.ids.tolist() == ["1000", "2000"]


@pytest.mark.parametrize("mark", [".", "-", "/"])
def test_short_years_first_where_only_that_makes_even_steps(mark, read_lines):
    rows = [f"{day:%y{mark}%m{mark}%d};{n}" for n, day in enumerate(DAYS)]
    assert read_as(read_lines(["Datum;Wert", *rows])) == (
        "D",
        "2023-01-01",
        list(range(40)),
    )


@pytest.mark.parametrize("days", [1, 7, 31])
def test_days_stay_in_front_of_points(days, read_lines):
    times = [date(2010, 3, 1) + timedelta(days * n) for n in range(24)]
    rows = [f"{day:%d.%m.%y};{n}" for n, day in enumerate(times)]
    assert str(read_lines(["Datum;Wert", *rows]).starts[0])[:10] == "2010-03-01"


@pytest.mark.parametrize("step", [15, 30, 60])
@pytest.mark.parametrize("first", [0, 1])
def test_minutes_of_a_day_need_not_say_so(step, first, read_lines):
    minutes = range(first * step, 1440 + first * step, step)
    rows = [f"{day},{minute},{minute / 7}" for day in DAYS[:3] for minute in minutes]
    panel = read_lines(["date,minute,mw", *rows])
    assert (len(panel), panel.frequency.code) == (1, {60: "h"}.get(step, f"{step}min"))


@pytest.mark.parametrize("end", [" h", "h", " hs", " hrs.", " Uhr", " godz."])
def test_words_for_hours_behind_clock_times(end, read_lines):
    rows = [f"{1 + n // 24:02}/01/2023 {n % 24:02}:00{end},{n}" for n in range(360)]
    panel = read_lines(["Fecha y hora,Vehículos", *rows])
    assert read_as(panel) == ("h", "2023-01-01", list(range(360)))


@pytest.mark.parametrize("title", ["Occupancy (%),,", "2021 edition,,"])
def test_years_across_below_titles(title, read_lines):
    names = [f"{date(2020, m, 1):%B}" for m in range(1, 13)]
    rows = [f"{name},{VALUES[m]},{VALUES[12 + m]}" for m, name in enumerate(names)]
    panel = read_lines(["Monthly report,,", title, ",2020,2021", *rows])
    assert read_as(panel) == MONTHLY


def test_colons_behind_seconds_since_1970(read_lines):
    rows = [f"{1672531200 + 300 * n}: {n}.5e+00" for n in range(40)]
    panel = read_lines(["                     in", "", *rows])
    assert (panel.frequency.code, panel.values[1]) == ("5min", 1.5)


@pytest.mark.parametrize("notes", [2, 3])
def test_one_wide_row_below_notes_with_commas(notes, read_lines):
    names = ",".join(f"{day:%Y %b} " for day in MONTHS)
    above = [f"Note {n}: tourism,," for n in range(notes)]
    table = [f"Data Series,{names}", "Visitors," + ",".join(map(str, VALUES))]
    panel = read_lines([*above, *table, "Footnotes:,,", "Source: office,,"])
    assert read_as(panel) == MONTHLY


@pytest.mark.parametrize("code", ["999.9", "9999", "99.99", "999.90"])
def test_one_value_of_nines_far_from_all_others_is_asked_about(code, read_lines):
    rows = [f"{day},{code if n == 7 else n % 5}" for n, day in enumerate(DAYS)]
    findings = read_lines(["day,level", *rows]).report.findings
    assert any("a code for missing?" in finding.message for finding in findings)


LOG = [
    f"{(n % 12) or 12:02}:00:01 {'AM' if n < 12 else 'PM'}  all  {n}.5"
    for n in range(1, 24)
]


def test_the_only_date_of_a_log_may_need_its_order(read_lines):
    log = ["Linux 5.4 (web01)  01/05/2023  _x86_64_", "", "12:00:01 AM  CPU  %user"]
    with pytest.raises(DataError, match=r"'01/05/2023' in the title.*day_first=True"):
        read_lines([*log, *LOG])
