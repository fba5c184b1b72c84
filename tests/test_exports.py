"""Files as statistical offices, weather services, markets, utilities and programs export them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc

FIRST = date(2024, 1, 20)
DAYS = [FIRST + timedelta(day) for day in range(50)]
QUARTERS = pd.period_range("2015Q1", "2022Q4", freq="Q")
MONTHS = pd.period_range("2019-01", "2022-12", freq="M")
HOURS = pd.date_range("2024-03-01", periods=72, freq="h")


def read(folder: Path, text: str, **words) -> lc.Panel:
    path = folder / "data.csv"
    path.write_text(text, encoding="utf-8")
    return lc.read(path, **words)


def lines(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


def said(panel: lc.Panel) -> str:
    return " ".join(map(str, panel.check()))


MIDDLE = [
    "DJF",
    "JFM",
    "FMA",
    "MAM",
    "AMJ",
    "MJJ",
    "JJA",
    "JAS",
    "ASO",
    "SON",
    "OND",
    "NDJ",
]


def test_running_means_across_are_months(tmp_path):
    rows = [
        f"{year}  " + "  ".join(f"{year - 1990 + m / 10:.1f}" for m in range(12))
        for year in range(1990, 1996)
    ]
    panel = read(tmp_path, lines("YR  " + "  ".join(MIDDLE), rows))
    assert (len(panel), panel.frequency.code, panel.lengths[0]) == (1, "MS", 72)
    assert str(panel.starts[0])[:7] == "1990-01"


def test_running_means_below_each_other_are_months(tmp_path):
    rows = [
        f"{seas} {year} {25 + m / 10}"
        for year in range(1990, 1996)
        for m, seas in enumerate(MIDDLE)
    ]
    panel = read(tmp_path, lines("SEAS YR TOTAL", rows))
    assert (len(panel), panel.frequency.code, panel.lengths[0]) == (1, "MS", 72)


def nem12(registers: list[str], minutes: int) -> str:
    rows = ["100,NEM12,202405011135,MDP1,RET1"]
    for register in registers:
        rows.append(
            f"200,6001234567,E1B1,1,{register},N1,METER1,kWh,{minutes},20240601"
        )
        for day in ("20240201", "20240202", "20240203"):
            cells = ",".join(f"0.{n % 10}5" for n in range(1440 // minutes))
            rows.append(f"300,{day},{cells},A,,,20240310121004,")
        rows.append("400,1,20,F14,76,")
    return "\n".join([*rows, "900"]) + "\n"


@pytest.mark.parametrize(
    ("registers", "minutes"), [(["E1"], 30), (["E1", "B1"], 15), (["E1"], 5)]
)
def test_meter_data_are_read(registers, minutes, tmp_path):
    panel = read(tmp_path, nem12(registers, minutes))
    assert panel.ids.tolist() == [f"6001234567/{name}" for name in registers]
    assert panel.frequency.code == f"{minutes}min"
    assert set(panel.lengths.tolist()) == {3 * 1440 // minutes}
    assert panel.values[:2].tolist() == [0.05, 0.15]
    assert "NEM12" in said(panel)


def test_meter_data_without_an_interval_length_are_refused(tmp_path):
    with pytest.raises(lc.DataError, match=r"line 2 .* ninth cell"):
        read(tmp_path, nem12(["E1"], 30).replace(",kWh,30,", ",kWh,x,"))


def test_meter_data_without_a_value_are_missing(tmp_path):
    before, day, after = nem12(["E1"], 30).partition("300,20240202")
    text = before + day + after.replace(",A,", ",N,", 1)
    missing = np.isnan(read(tmp_path, text).values)
    assert missing[48:96].all()
    assert missing.sum() == 48


def test_columns_of_marks_beside_years_are_no_years(tmp_path):
    years = range(1990, 2000)
    header = "Area Code,Area,Item,"
    header += ",".join(f"Y{year},Y{year}F" for year in years)
    rows = []
    for code, area in ((2, "Chad"), (3, "Peru")):
        cells = ",".join(f"{code * year},E" for year in years)
        rows.append(f"{code},{area},Wheat,{cells}")
    panel = read(tmp_path, lines(header, rows))
    assert panel.ids.tolist() == ["Chad", "Peru"]
    assert (panel.frequency.code, panel.lengths.tolist()) == ("YS", [10, 10])


def test_names_above_units_in_comments_are_names(tmp_path):
    rows = [f"{t:%Y %m %d %H} 00  {t.hour}.5" for t in HOURS]
    header = "#YY  MM DD hh mm WVHT\n#yr  mo dy hr mn m"
    panel = read(tmp_path, lines(header, rows))
    assert (panel.frequency.code, panel.columns.target) == ("h", "WVHT")


def test_a_thirteenth_month_sums_up_a_year(tmp_path):
    rows = [
        f"X,{year}{m:02d},{m}.5" for year in (2017, 2018, 2019) for m in range(1, 14)
    ]
    panel = read(tmp_path, lines("MSN,YYYYMM,Value", rows))
    assert (panel.frequency.code, panel.lengths[0]) == ("MS", 36)
    assert "sums up a year" in said(panel)


@pytest.mark.parametrize("name", ["Hora", "Time", "Uhrzeit"])
def test_clocks_from_one_to_twenty_four_end_hours(name, tmp_path):
    rows = [f"{t:%Y/%m/%d};{t.hour + 1:02d}:00;{t.hour},5" for t in HOURS]
    panel = read(tmp_path, lines(f"Fecha;{name};Consumo", rows))
    assert str(panel.starts[0]) == "2024-03-01T00:00:00.000000"
    assert str(panel.ends[0])[:13] == "2024-03-03T23"


TWO_CLOCKS = {
    "start, end and local": (
        "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,MW",
        lambda t: (
            f"{t + pd.Timedelta(8, 'h'):%Y-%m-%dT%H:%M}-00:00,"
            f"{t + pd.Timedelta(9, 'h'):%Y-%m-%dT%H:%M}-00:00,{t:%Y-%m-%d},{t.hour + 1}"
        ),
    ),
    "utc and local": (
        "datetime_beginning_utc,datetime_beginning_ept,mw",
        lambda t: f"{t + pd.Timedelta(5, 'h'):%m/%d/%Y %H:%M},{t:%m/%d/%Y %H:%M}",
    ),
}


@pytest.mark.parametrize("form", TWO_CLOCKS)
def test_of_two_clocks_the_local_one_counts(form, tmp_path):
    header, write = TWO_CLOCKS[form]
    panel = read(tmp_path, lines(header, [f"{write(t)},{t.hour}.5" for t in HOURS]))
    assert (len(panel), panel.frequency.code) == (1, "h")
    assert str(panel.starts[0])[:13] == "2024-03-01T00"


def test_of_two_clocks_utc_counts_where_the_local_one_is_changed(tmp_path):
    utc = pd.date_range("2024-03-09 05:00", periods=72, freq="h")
    local = utc.tz_localize("UTC").tz_convert("America/New_York")
    rows = [
        f"{u:%Y-%m-%d %H:%M},{t:%Y-%m-%d %H:%M},{t.hour}.5"
        for u, t in zip(utc, local, strict=True)
    ]
    panel = read(tmp_path, lines("time_utc,time_local,mw", rows))
    assert str(panel.starts[0])[:13] == "2024-03-09T05"
    assert panel.lengths[0] == 72


def test_the_end_of_a_period_in_dutch_is_no_second_time(tmp_path):
    quarters = pd.date_range("2024-03-01", periods=288, freq="15min")
    rows = [
        f"{t:%d-%m-%Y};{t:%H:%M:%S};{t + pd.Timedelta(15, 'min'):%d-%m-%Y};"
        f"{t + pd.Timedelta(15, 'min'):%H:%M:%S};0,1{t.minute}"
        for t in quarters
    ]
    header = "Van Datum;Van Tijdstip;Tot Datum;Tot Tijdstip;Volume"
    panel = read(tmp_path, lines(header, rows))
    assert (panel.frequency.code, panel.lengths[0]) == ("15min", 288)


PARTS = {
    "Finnish": (
        "Vuosi,Kk,Pv,Klo,Arvo",
        lambda t: f"{t.year},{t.month},{t.day},{t:%H:%M}",
    ),
    "Slovenian": (
        "Leto,Mesec,Dan,Ura,v",
        lambda t: f"{t.year},{t.month},{t.day},{t.hour}",
    ),
    "Romanian": (
        "anul,luna,ziua,ora,v",
        lambda t: f"{t.year},{t.month},{t.day},{t.hour}",
    ),
}


@pytest.mark.parametrize("form", PARTS)
def test_parts_of_times_are_known_in_many_languages(form, tmp_path):
    header, write = PARTS[form]
    panel = read(tmp_path, lines(header, [f"{write(t)},{t.hour}.5" for t in HOURS]))
    assert (len(panel), panel.frequency.code, panel.lengths[0]) == (1, "h", 72)


def test_years_days_and_hours_without_names_are_joined(tmp_path):
    times = pd.date_range("2024-02-20", periods=480, freq="h")
    rows = [f"{t.year} {t.dayofyear:3d} {t.hour:2d} {t.hour}.5" for t in times]
    panel = read(tmp_path, "\n".join(rows) + "\n")
    assert (panel.frequency.code, panel.lengths[0]) == ("h", 480)


@pytest.mark.parametrize("name", ["SEMANA_EPIDEMIOLOGICA", "MMWR_WEEK", "Report week"])
def test_weeks_with_more_words_are_weeks(name, tmp_path):
    rows = [f"{y};{w};{w}" for y in (2021, 2022, 2023) for w in range(1, 53)]
    panel = read(tmp_path, lines(f"ANO;{name};CASOS", rows))
    assert (len(panel), panel.frequency.code) == (1, "W-MON")


_LITHUANIAN = (
    "sausis vasaris kovas balandis gegužė birželis liepa rugpjūtis rugsėjis spalis "
    "lapkritis gruodis"
)
LITHUANIAN = _LITHUANIAN.split()
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")

LABELS = {
    "2019.01 월": ("MS", [f"{m.year}.{m.month:02d} 월" for m in MONTHS]),
    "2019 m. sausis": (
        "MS",
        [
            f"{m.year} m. "
            + [
                "sausis",
                "vasaris",
                "kovas",
                "balandis",
                "gegužė",
                "birželis",
                "liepa",
                "rugpjūtis",
                "rugsėjis",
                "spalis",
                "lapkritis",
                "gruodis",
            ][m.month - 1]
            for m in MONTHS
        ],
    ),
    "20.I.2024": (
        "D",
        [f"{d.day}.{['I', 'II', 'III'][d.month - 1]}.{d.year}" for d in DAYS],
    ),
    "XII 2019": (
        "MS",
        [f"{ROMAN[m.month - 1]} {m.year}" for m in MONTHS],
    ),
    "MY1985/86": ("YS", [f"MY{y}/{(y + 1) % 100:02d}" for y in range(1985, 2012)]),
    "IV/2015": (
        "QS",
        [f"{['I', 'II', 'III', 'IV'][q.quarter - 1]}/{q.year}" for q in QUARTERS],
    ),
}


@pytest.mark.parametrize("form", LABELS)
def test_labels_are_read_as_people_mean_them(form, tmp_path):
    code, labels = LABELS[form]
    rows = [f"{label};{n},5" for n, label in enumerate(labels)]
    panel = read(tmp_path, lines("period;value", rows))
    assert (len(panel), panel.frequency.code) == (1, code)
    assert panel.values.tolist() == [n + 0.5 for n in range(len(labels))]


AMOUNTS = {
    "rand": lambda x: f"R {'-' if x < 0 else ''}{abs(x):,.2f}",
    "soles": lambda x: f"{'-' if x < 0 else ''}S/ {abs(x):,.2f}",
    "ringgit": lambda x: f"RM{'-' if x < 0 else ''}{abs(x):,.2f}",
}


@pytest.mark.parametrize("form", AMOUNTS)
def test_money_of_more_countries_keeps_its_sign(form, tmp_path):
    amounts = [(-1) ** n * (1200.5 + n) for n in range(12)]
    rows = [
        f'{m},"{AMOUNTS[form](x)}"' for m, x in zip(MONTHS[:12], amounts, strict=True)
    ]
    assert read(tmp_path, lines("month,profit", rows)).values.tolist() == amounts


POINTS = {
    "days first, semicolons": ("Data;Menge", ";", "%d/%m/%Y", "."),
    "months first, semicolons": ("Date;Visits", ";", "%m/%d/%Y", ","),
    "days first, tabs": ("Data\tVisite", "\t", "%d/%m/%Y", "."),
}


@pytest.mark.parametrize("form", POINTS)
def test_dates_tell_which_mark_groups_thousands(form, tmp_path):
    header, mark, dates, group = POINTS[form]
    values = [12_000 + 31 * n for n in range(50)]
    rows = [
        f"{day:{dates}}{mark}{value:,}".replace(",", group)
        for day, value in zip(DAYS, values, strict=True)
    ]
    panel = read(tmp_path, lines(header, rows))
    assert panel.values.tolist() == values
    assert "thousands separators" in said(panel)


def test_points_between_commas_are_doubtful_beside_days_that_come_first(tmp_path):
    rows = [
        f'{day:%d/%m/%Y},"{12_000 + n:,}"'.replace("2,0", "2.0")
        for n, day in enumerate(DAYS)
    ]
    panel = read(tmp_path, lines("Fecha,Visitas", rows))
    assert "12.000 or as 12000" in said(panel)
    assert read(tmp_path, lines("Fecha,Visitas", rows), decimal=",").values[0] == 12_000


def test_codes_of_quality_are_no_decimals(tmp_path):
    rows = [f'"{t:%Y-%m-%dT%H:%M}","{10 * t.hour - 50:+05d},1"' for t in HOURS]
    rows[5] = rows[5][:20] + '"+9999,9"'
    panel = read(tmp_path, lines('"DATE","TMP"', rows), missing_codes="9999")
    assert panel.values[:3].tolist() == [-50, -40, -30]
    assert np.isnan(panel.values[5])
    assert "codes of quality" in said(panel)


@pytest.mark.parametrize(
    "word", ["unavailable", "unknown", "No Data", "#WERT!", "#¡VALOR!", "Err:502"]
)
def test_words_of_devices_and_errors_of_spreadsheets_are_missing(word, tmp_path):
    rows = [f"{t:%Y-%m-%d %H:%M},{word if t.hour == 7 else t.hour}" for t in HOURS]
    panel = read(tmp_path, lines("last_changed,state", rows))
    assert np.isnan(panel.values).sum() == 3


def test_years_in_another_language_go_down(tmp_path):
    rows = [f"{year};{n},5" for n, year in enumerate(range(2019, 1989, -1))]
    panel = read(tmp_path, lines("Období;Hodnota", rows))
    assert (panel.frequency.code, str(panel.starts[0])[:4]) == ("YS", "1990")


def test_numbers_of_rows_may_go_down_and_leave_out_totals(tmp_path):
    rows = [f"{48 - n},{m},{n}.5" for n, m in enumerate(MONTHS)]
    panel = read(tmp_path, lines("id,month,amount x", [*rows, ",Total,1128"]))
    assert panel.columns.target == "amount x"


def test_what_a_file_is_made_of_is_no_header(tmp_path):
    rows = [f"{m.year}-{m.month:02d};{n},5" for n, m in enumerate(MONTHS)]
    above = "Name;X1\nCreated;03.04.2024 10:00\nUnit;miles\n"
    panel = read(tmp_path, lines(f"{above}\nPeriodo;Ventas", rows))
    assert (panel.columns.time, panel.columns.target) == ("Periodo", "Ventas")


def test_commas_in_titles_make_no_header(tmp_path):
    rows = [f"{m.year},{m.month},{n}.5" for n, m in enumerate(MONTHS)]
    above = "Retail sales, by month, adjusted\nSource: Office, 2024\n"
    panel = read(tmp_path, lines(f"{above}\nYear,Month,Sales", rows))
    assert (panel.frequency.code, panel.columns.target) == ("MS", "Sales")


def test_comments_above_a_header_are_no_header(tmp_path):
    rows = [f"{m.year},{m.month},{n}.5" for n, m in enumerate(MONTHS)]
    above = "# Retail sales, by month, adjusted"
    panel = read(tmp_path, lines(f"{above}\nYear,Month,Sales", rows))
    assert (panel.frequency.code, panel.columns.target) == ("MS", "Sales")


def test_values_such_as_8000_are_no_dates_beside_weeks(tmp_path):
    rows = [f"{2022 + n // 52},{n % 52 + 1},{8000 + n}.{n % 10}" for n in range(60)]
    panel = read(tmp_path, lines("Year,Week,value", rows))
    assert (panel.frequency.code, panel.lengths[0]) == ("W-MON", 60)


def test_the_date_of_a_file_is_not_that_of_its_rows(tmp_path):
    rows = [f"{day.year};{day.month};{day.day};{day.day},5" for day in DAYS]
    above = "Name;X1\nCreated;03.04.2025 10:00\n"
    text = lines(f"{above}\nAnnée;Mois;Jour;Ventes", [*rows, "Total;;;99,5"])
    assert str(read(tmp_path, text).starts[0])[:10] == "2024-01-20"


@pytest.mark.parametrize("word", ["Razem", "Összesen", "Toplam", "Yhteensä", "Итого"])
def test_totals_in_more_languages_are_left_out(word, tmp_path):
    rows = [f"{2022 + n // 52}\t{n % 52 + 1}\t{n},5" for n in range(60)]
    panel = read(tmp_path, lines("Rok\tTydzień\tx", [*rows, f"{word}\t\t1770,5"]))
    assert (panel.frequency.code, panel.lengths[0]) == ("W-MON", 60)


def test_quarters_are_known_by_what_they_hold(tmp_path):
    rows = [f"{q.year}\tQ{q.quarter}\t{n},5" for n, q in enumerate(QUARTERS)]
    panel = read(tmp_path, lines("Rok\tKwarta³\tx", rows))
    assert (len(panel), panel.frequency.code) == (1, "QS")


def test_names_of_columns_tell_which_mark_groups_thousands(tmp_path):
    rows = [f"{m};{12_000 + n:,}".replace(",", ".") for n, m in enumerate(MONTHS)]
    panel = read(tmp_path, lines("Periodo;Ventas", rows))
    assert panel.values[0] == 12_000
    assert "thousands separators" in said(panel)


@pytest.mark.parametrize("gap", ["", "\n"])
def test_notes_of_as_many_cells_are_no_data(gap, tmp_path):
    rows = [f"{m.year},{m.month},{n}.5" for n, m in enumerate(MONTHS)]
    text = lines("Year,Month,Sales", [*rows, f"{gap}Source: Office, 2024, all rights"])
    panel = read(tmp_path, text)
    assert (panel.frequency.code, panel.lengths[0]) == ("MS", 48)
    assert "below the data" in said(panel)


def test_longitudes_are_no_clock_times(tmp_path):
    rows = [
        f"{day},{name},{lat},{lon},{n}.5"
        for n, day in enumerate(DAYS)
        for name, lat, lon in (("Chad", "10.5", "20.25"), ("Peru", "11.5", "21.25"))
    ]
    panel = read(tmp_path, lines("date,country,lat,lon,cases", rows))
    assert panel.ids.tolist() == ["Chad", "Peru"]
    assert panel.frequency.code == "D"


def test_days_in_digits_may_be_names_of_columns(tmp_path):
    header = ",".join(["country", *(f"{day:%Y%m%d}" for day in DAYS)])
    rows = [
        ",".join([name, *(f"{n}.5" for n in range(50))]) for name in ("Chad", "Peru")
    ]
    panel = read(tmp_path, lines(header, rows))
    assert panel.ids.tolist() == ["Chad", "Peru"]
    assert panel.frequency.code == "D"


@pytest.mark.parametrize("mark", ["~", "≈", "ca. "])
def test_about_so_many_is_so_many(mark, tmp_path):
    rows = [f'{day},"{mark}{50 + n}.5 kWh"' for n, day in enumerate(DAYS)]
    assert read(tmp_path, lines("day,used", rows)).values[0] == 50.5


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("Rok\tMiesiąc\tWartość", "cp1250"),
        ("Год\tМесяц\tЗначение", "cp1251"),
        ("Yıl\tAy\tDeğer", "cp1254"),
        ("Année\tMois\tQuantité", "cp1252"),
    ],
)
def test_encodings_are_told_by_names_of_columns(header, encoding, tmp_path):
    path = tmp_path / "data.csv"
    rows = [f"{m.year}\t{m.month}\t{n},5" for n, m in enumerate(MONTHS)]
    path.write_bytes(lines(header, rows).encode(encoding))
    panel = lc.read(path)
    assert panel.columns.target == header.split("\t")[2]
    assert panel.frequency.code == "MS"


def test_names_stand_below_what_is_said_of_a_file(tmp_path):
    above = (
        "Source,Location ID,City,Latitude,Longitude,Zone\nNSRDB,1234,-,40.1,-105.2,-7"
    )
    rows = [f"{t.year},{t.month},{t.day},{t.hour},{t.hour}.5," for t in HOURS]
    panel = read(tmp_path, lines(f"{above}\nYear,Month,Day,Hour,GHI,", rows))
    assert (panel.frequency.code, panel.columns.target) == ("h", "GHI")


def test_a_logger_numbers_its_rows_below_a_title(tmp_path):
    header = '"Plot Title: 1048"\n"#","Date Time, GMT-05:00","Temp, °C"'
    rows = [f"{n + 1},{t:%m/%d/%y %I:%M:%S %p},{n}.5" for n, t in enumerate(HOURS)]
    panel = read(tmp_path, lines(header, rows))
    assert (panel.frequency.code, panel.columns.target) == ("h", "Temp, °C")


def test_days_with_clock_times_follow_each_other(tmp_path):
    rows = [f"{t:%m/%d/%y %H:%M},{n}.5" for n, t in enumerate(HOURS)]
    panel = read(tmp_path, lines("time,x", [*rows[:30], *rows[34:]]))
    assert str(panel.starts[0])[:10] == "2024-03-01"


SHORT = {
    "'85": [f"'{year % 100:02d}" for year in range(1985, 2012)],
    "FYE 1985": [f"FYE {year}" for year in range(1985, 2012)],
    "พ.ศ. 2528": [f"พ.ศ. {year + 543}" for year in range(1985, 2012)],
}


@pytest.mark.parametrize("form", SHORT)
def test_labels_of_years_are_years(form, tmp_path):
    rows = [f"{label},{n}.5" for n, label in enumerate(SHORT[form])]
    panel = read(tmp_path, lines("period,value", rows))
    assert (panel.frequency.code, str(panel.starts[0])[:4]) == ("YS", "1985")


COUNTED = {
    "quarters of hours": ("Datum;Viertelstunde;kW", 96, "{}", 1),
    "hours of another name": ("Date;Start;Visitors", 24, "{:02d}h", 0),
    "a name of its own": ("Datum;Zeitscheibe;kW", 24, "{}", 1),
    "from 0": ("day;k;x", 48, "{}", 0),
}


@pytest.mark.parametrize("form", COUNTED)
def test_what_counts_through_each_day_is_its_slots(form, tmp_path):
    header, count, write, first = COUNTED[form]
    rows = [
        f"{day:%d.%m.%Y};{write.format(slot + first)};{slot},5"
        for day in DAYS[:3]
        for slot in range(count)
    ]
    panel = read(tmp_path, lines(header, rows))
    assert (len(panel), panel.lengths.tolist()) == (1, [3 * count])
    assert "joined into one time" in said(panel)


def test_stores_are_no_slots(tmp_path):
    rows = [f"{day};{store};{store},5" for day in DAYS for store in range(1, 25)]
    assert len(read(tmp_path, lines("date;store;sales", rows))) == 24


def test_two_months_are_a_part_of_a_year(tmp_path):
    rows = [f"{2010 + n // 6},{n % 6 + 1},{n}.5" for n in range(36)]
    panel = read(tmp_path, lines("Año,Bimestre,Consumo", rows))
    assert (len(panel), panel.frequency.code) == (1, "2MS")


def test_greek_may_is_a_month(tmp_path):
    names = [
        "Ιαν",
        "Φεβ",
        "Μαρ",
        "Απρ",
        "Μαΐ",
        "Ιουν",
        "Ιουλ",
        "Αυγ",
        "Σεπ",
        "Οκτ",
        "Νοε",
        "Δεκ",
    ]
    rows = [f"{names[m.month - 1]}-{m.year},{n}.5" for n, m in enumerate(MONTHS)]
    assert read(tmp_path, lines("period,value", rows)).frequency.code == "MS"
