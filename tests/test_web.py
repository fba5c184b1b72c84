"""The page reads tables as the package does, in Node.js; and the page itself, in Chromium."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from browser import Browser
from lstmcast.data.times.frequency import parse_frequency
from lstmcast.evaluation.baselines import Naive
from lstmcast.export.web import PAGE, web_page, write_web_page
from lstmcast.pretrained import WEIGHTS
from nodejs import node

ROOT = Path(__file__).parents[1]


# ---------------------------------------------------------------- tables

DAYS = ["2024-02-01", "2024-02-02", "2024-02-05", "2024-02-06", "2024-02-08"]
TABLES = {
    "ISO": "day,sold\n" + "\n".join(f"{day},{k}.5" for k, day in enumerate(DAYS)),
    "decimal commas": "Tag;Menge\n01.02.2024;1,5\n02.02.2024;2,25\n04.02.2024;1.003,0\n"
    "05.02.2024;4",
    "months": 'Month,"Passengers, thousands"\n1949-01,112\n1949-02,118\n1949-03,132\n1949-05,121',
    "month ends": "date,value\n2024-01-31,1\n2024-02-29,2\n2024-03-31,3",
    "years": "year\tvalue\n1990\t3\n1991\t4\n1992\t6\n1993\t5",
    "quarters": "quarter,value\n2020 Q1,3\n2020 Q2,4\n2020 Q4,6\n2021 Q1,5",
    "hours": "time,value\n2024-03-01 22:00,1\n2024-03-01 23:00,2\n2024-03-02 00:00,4",
    "ISO with T": "time,value\n2024-03-01T22:15:00Z,1\n2024-03-01T22:30:00Z,2\n"
    "2024-03-01T23:00:00Z,4",
    "American": "date,value\n01/25/2024,1\n01/26/2024,2\n01/27/2024,3",
    "British": "date,value\n25/01/2024,1\n26/01/2024,2\n27/01/2024,3",
    "names of months": "month,value\nJan 2024,1\nFeb 2024,2\nMar 2024,3",
    "Japanese": "年月,売上\n2024年1月,1\n2024年2月,2\n2024年4月,3",
    "compact": "date,value\n20240129,1\n20240130,2\n20240131,3\n20240201,4",
    "business days": "date,value\n2024-02-01,1\n2024-02-02,2\n2024-02-05,3\n2024-02-06,4\n"
    "2024-02-07,4",
    "in any order": "date,value\n2024-02-03,3\n2024-02-01,1\n2024-02-02,2",
    "missing": "date,value\n2024-02-01,\n2024-02-02,1\n2024-02-03,NA\n2024-02-04,3\n"
    "2024-02-05,4\n2024-02-06,",
    "thousands": 'date,value\n2024-02-01,"1,200"\n2024-02-02,"1,350,000"\n2024-02-03,900',
    "quotes within a cell": 'day,"6" pipes"\n2024-02-01,1\n2024-02-02,"2" \n2024-02-03,3',
    "weeks": "week,value\n2024-01-01,1\n2024-01-08,2\n2024-01-22,3\n2024-01-29,3",
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """What the page sees in each table."""
    file = tmp_path_factory.mktemp("tables") / "tables.json"
    file.write_text(json.dumps([*TABLES.values(), *WRONG]), encoding="utf-8")
    return node("tables.mjs", PAGE, file)


@pytest.mark.services
@pytest.mark.parametrize("name", TABLES)
def test_tables_are_read_as_the_package_reads_them(name, tables, tmp_path):
    told = tables[list(TABLES).index(name)]
    (tmp_path / "table.csv").write_text(TABLES[name], encoding="utf-8")
    panel = lc.read(tmp_path / "table.csv", calendar="all")
    assert "error" not in told
    values = [np.nan if value is None else value for value in told["values"]]
    assert np.array_equal(values, panel.values, equal_nan=True)
    times = np.array(told["times"], "datetime64[us]")
    assert (times == panel.times(0).astype("datetime64[us]")).all()
    frequency = panel.frequency
    assert (told["unit"], told["every"]) == (frequency.unit, frequency.every)
    assert told["periods"] == list(frequency.seasonal_periods)
    following = frequency.advance(panel.ends[:1], 1)[0]
    assert np.datetime64(told["next"], "us") == following


WRONG = {
    "": "empty",
    "a,b\nx,y": "no numbers",
    "date,value\n2024-01-01,1\n2024-01-01,2\n2024-01-02,2": "repeated",
    "date,value\n2024-01-01,1\n2024-01-02,2\nsoon,3\n2024-01-04,3\n2024-01-05,3": "bad time",
    "date,value\n2024-01-01,1\n2024-01-02,2\n2024-01-03,x\n2024-01-04,3\n"
    "2024-01-05,1": "bad number",
    "date,value\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n2024-01-04,1e400": "bad number",
    "date,value\n2024-01-01,1": "few",
    "date,value\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n2024-01-05 07:13,3": "no grid",
}


@pytest.mark.services
def test_a_long_table_is_read(tmp_path):
    hours = np.datetime64("1990-01-01T00:00") + np.arange(200_000) * np.timedelta64(
        60, "m"
    )
    rows = [f"{hour},{k % 24}" for k, hour in enumerate(hours.tolist())]
    (tmp_path / "tables.json").write_text(json.dumps(["\n".join(["hour,y", *rows])]))
    (told,) = node("tables.mjs", PAGE, tmp_path / "tables.json")
    assert len(told["values"]) == len(rows)


@pytest.mark.services
def test_the_file_has_the_ids_of_the_table(tmp_path):
    rows = [f'{day},"north, 1",tea,{k}' for k, day in enumerate(DAYS)]
    table = "\n".join(['day,"shop, town",item,sold', *rows])
    (tmp_path / "tables.json").write_text(json.dumps([table, TABLES["ISO"]]))
    several, one = node("tables.mjs", PAGE, tmp_path / "tables.json")
    (tmp_path / "sales.csv").write_text(table, encoding="utf-8")
    series = ["shop, town", "item"]
    forecast = Naive().predict(lc.read(tmp_path / "sales.csv", series=series), 1)
    header, row = csv.reader(several["file"][:2])
    assert header[:4] == list(forecast.columns_dict())[:4] == [*series, "ds", "step"]
    assert row[:2] == ["north, 1", "tea"] and row[3:5] == ["1", "4"]
    assert one["file"][0].startswith("unique_id,ds,step,forecast")
    assert one["file"][1].startswith("sold,")


@pytest.mark.services
def test_what_is_wrong_with_a_table_is_said(tables):
    told = tables[len(TABLES) :]
    assert [one.get("error") for one in told] == list(WRONG.values())
    words = (PAGE / "words.mjs").read_text(encoding="utf-8")
    for key in WRONG.values():
        assert words.count(f'"error {key}"') == 2  # in both languages


@pytest.mark.services
def test_the_kernel_of_the_docs_runs(tmp_path):
    page = (ROOT / "docs" / "how-to" / "export.md").read_text(encoding="utf-8")
    script = re.search(
        r'^```js title="kernel"\n(.*?)^```', page, re.MULTILINE | re.DOTALL
    )[1]
    (tmp_path / "run.mjs").write_text(script, encoding="utf-8")
    (tmp_path / "lstmcast").symlink_to(ROOT / "src" / "lstmcast")
    command = ["node", "run.mjs"]
    done = subprocess.run(
        command, cwd=tmp_path, check=True, capture_output=True, text=True
    )
    panel = lc.Panel.from_arrays(
        [112.0, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118]
    )
    panel = replace(panel, frequency=parse_frequency("MS"), periods=(12,))
    point = lc.LSTMForecaster(3).predict(panel).point[0]
    assert [float(one) for one in done.stdout.split()] == pytest.approx(point, abs=0.06)


# ---------------------------------------------------------------- the page


def test_the_page_is_one_file_that_connects_to_nothing(tmp_path):
    place = write_web_page(tmp_path / "demo" / "page")
    page = place.read_text(encoding="utf-8")
    assert page == web_page()
    weights = (WEIGHTS / "weights.safetensors").stat().st_size
    # of the 2 MB that it may have
    assert len(page.encode()) - 4 * weights / 3 < 200_000
    assert "default-src 'none'" in page and "connect-src" not in page
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "import " not in page.partition("<script")[2].replace("are missing", "")


def test_the_command_writes_the_page(run, tmp_path):
    done = run("export", "--format", "web", tmp_path / "demo")
    assert re.fullmatch(
        r".*index.html \(1\.\d\d MB\): open it in a browser\n", done.out
    )
    assert (tmp_path / "demo" / "index.html").read_text(encoding="utf-8") == web_page()
    file = run("export", "--format", "web", tmp_path, "--json").json["files"][0]
    assert file["bytes"] == (tmp_path / "index.html").stat().st_size
    assert "No folder is given" in run("export", "--format", "web").err
    refused = run(
        "export", "--format", "web", tmp_path, "--part", "network", "--out", tmp_path
    )
    assert refused.status == 2 and "--out, --part would have no effect" in refused.err
    (tmp_path / "file").touch()
    assert run("export", "--format", "web", tmp_path / "file").status == 1


def test_both_languages_have_the_same_texts():
    english, japanese = (
        (PAGE / "words.mjs").read_text(encoding="utf-8").split("\n  ja: {\n")
    )
    keys = [
        re.findall(r'^    "?([a-z0-9 ]+)"?:', part, re.MULTILINE)
        for part in (english, japanese)
    ]
    assert keys[0] == keys[1] and len(keys[0]) > 40
    places = [re.findall(r"\{(\w+)\}", part) for part in (english, japanese)]
    assert sorted(places[0]) == sorted(places[1])


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page in a browser, as a file."""
    folder = tmp_path_factory.mktemp("page")
    with Browser(folder / "profile", downloads=folder) as browser:
        browser.open(write_web_page(folder).as_uri())
        yield browser


def text_of(page: Browser, name: str):
    return page.evaluate(f"document.getElementById('{name}').textContent")


def paste(page: Browser, text: str):
    page.evaluate(
        f"document.getElementById('text').value = {json.dumps(text)};"
        "document.getElementById('text').dispatchEvent(new Event('input'))"
    )


def run_page(page: Browser, horizon: int | None = None):
    if horizon is not None:
        page.evaluate(f"document.getElementById('horizon').value = {horizon}")
    page.evaluate("document.getElementById('run').click()")
    page.wait("!document.getElementById('run').disabled")


@pytest.mark.services
def test_the_page_forecasts_a_pasted_table_and_gives_a_file(page):
    page.evaluate("document.getElementById('example').click()")
    assert "144 values of passengers, monthly, 1949-01-01 to 1960-12-01" in text_of(
        page, "read"
    )
    run_page(page)
    page.evaluate("document.getElementById('download').click()")
    file = page.downloaded("forecast.csv")
    rows = list(csv.DictReader(StringIO(file)))
    forecast = lc.LSTMForecaster(12).predict(ROOT / "examples" / "airline.csv")
    assert [row["ds"] for row in rows] == [str(time)[:10] for time in forecast.times[0]]
    now = np.array(
        [[float(row[f"q{level:g}"]) for level in (0.1, 0.9)] for row in rows]
    )
    levels = list(forecast.quantile_levels)
    then = forecast.quantiles[0][:, [levels.index(0.1), levels.index(0.9)]]
    assert np.allclose(now, then, rtol=1e-4)
    assert page.evaluate("document.querySelectorAll('#rows tr').length") == 12
    assert (
        page.evaluate("document.querySelector('#chart .band').getAttribute('d').length")
        > 100
    )


@pytest.mark.services
def test_the_page_says_what_it_read_and_what_is_wrong(page):
    paste(page, TABLES["decimal commas"])
    assert "decimal commas" in text_of(page, "read") and "1 of them are" in text_of(
        page, "read"
    )
    run_page(page, 3)
    assert "80% interval" in text_of(page, "told")
    run_page(page, 0)
    assert "whole number from 1 to 1000" in text_of(page, "message")
    paste(page, "date,value\n2024-01-01,1\n2024-01-01,2")
    assert "2024-01-01 occurs more than once" in text_of(page, "message")
    assert page.evaluate("document.getElementById('result').hidden")


@pytest.mark.services
def test_a_file_that_cannot_be_read_is_told(page):
    gone = "{ name: 'gone.csv', arrayBuffer: async () => { throw new Error('gone'); } }"
    given = f"{{ dataTransfer: {{ files: [{gone}] }} }}"
    page.evaluate(f"window.dispatchEvent(Object.assign(new Event('drop'), {given}))")
    page.wait("document.getElementById('message').textContent")
    assert "gone.csv cannot be read" in text_of(page, "message")


@pytest.mark.services
def test_a_series_of_several_is_chosen(page):
    rows = [
        f"{day},{shop},{k}"
        for shop in ("north", "south")
        for k, day in enumerate(DAYS[:3])
    ]
    paste(page, "\n".join(["day,shop,sold", *rows]))
    names = page.evaluate(
        "[...document.getElementById('series').options].map((one) => one.text)"
    )
    assert names == ["north", "south"]
    assert "sold, north" in text_of(page, "read")


@pytest.mark.services
def test_the_page_speaks_japanese_is_dark_and_fits_a_phone(page):
    page.evaluate("document.getElementById('example').click()")
    run_page(page)
    page.evaluate("document.getElementById('language').click()")
    assert "ネットワーク" in text_of(page, "made") and "月次" in text_of(page, "read")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.evaluate("document.getElementById('theme').click()")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.resize(360, 700)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.evaluate("document.getElementById('language').click()")
    page.resize(1000, 900)


@pytest.mark.services
def test_the_page_asks_nobody_for_anything(page):
    asked = [
        one for one in page.requests if not one.startswith(("file:", "data:", "blob:"))
    ]
    assert not asked and not page.errors
    refused = page.evaluate(
        "fetch('http://localhost:9/').then(() => 'sent', () => 'refused')"
    )
    assert refused == "refused"
