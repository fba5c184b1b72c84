"""The page of `lstmcast serve`: what its scripts ask for, and that nothing comes from elsewhere."""

from __future__ import annotations

import gzip
import io
import json
import re
import shlex
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import openpyxl
import pytest

import lstmcast as lc
from lstmcast.jobs import ForecastResult
from lstmcast.output import report
from lstmcast.output.places import Written
from lstmcast.server.page import results as kept
from lstmcast.server.page.examples import EXAMPLES, airline_table, shop_table
from lstmcast.server.page.files import (
    HERE,
    PLOTLY_NAME,
    page_of,
    static_files,
    unpacked,
)
from lstmcast.server.page.methods import METHODS
from lstmcast.server.page.results import Kept, Results
from lstmcast.server.problems import Problem, advised
from lstmcast.server.replies import response_of
from lstmcast.server.settings import Limits
from lstmcast.util.language import words_of
from serving import asking, problem

LETTERS = re.compile("[ぁ-ヿ一-鿿]")
JAPANESE = {"accept-language": "ja"}
AIR = {"file": ("airline.csv", airline_table())}
SHOP = {"file": ("shop.csv", shop_table())}
PLANNED = {
    "target": "sold",
    "future": ["price", "promo"],
    "horizon": "7",
    "cutoffs": "0",
}


@pytest.fixture(scope="module")
def ask():
    client = asking()
    yield client
    client.app.server.close()


@pytest.fixture(scope="module")
def air(ask):
    """A forecast of the airline data that the page shows."""
    given = {"horizon": "12", "level": ["80"], "total": "quarter"}
    return ask("POST", "/page/forecast", files=AIR, data=given).json()


@pytest.fixture(scope="module")
def shop(ask):
    return ask("POST", "/page/forecast", files=SHOP, data=PLANNED).json()


def test_a_day_that_comes_twice_marks_the_option_for_it(ask):
    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    lines = ["day,Sales (EUR)", *(f"{day},{k % 7 + 10}" for k, day in enumerate(days))]
    twice = "\n".join([*lines, lines[-1]]).encode()
    seen = ask("POST", "/page/look", files={"file": ("t.csv", twice)}).json()
    assert not seen["usable"] and seen["field"] == "duplicates"
    given = {"duplicates": "first"}
    assert ask(
        "POST", "/page/look", files={"file": ("t.csv", twice)}, data=given
    ).json()["usable"]
    stores = "\n".join([lines[0], *(2 * lines[1:])]).encode()  # every day has two rows
    assert (
        ask("POST", "/page/look", files={"file": ("t.csv", stores)}).json()["field"]
        == "series"
    )


def test_names_with_brackets_do_not_bring_python_to_the_page(ask):
    table = b"day,Alpha (EUR),Beta\n2024-01-01,5,6\n2024-01-02,6,8\n2024-01-03,7,9\n"
    told = ask("POST", "/page/look", files={"file": ("t.csv", table)}).json()["problem"]
    assert "“Target" in told and "--target" not in told and "Python" not in told


def address(result, what):
    return f"/page/results/{result['id']}/{what}"


# ---------------------------------------------------------------- files


def test_the_page_comes_in_the_language_of_the_reader(ask):
    english, japanese = ask("GET", "/"), ask("GET", "/", headers=JAPANESE)
    assert '<html lang="en">' in english.text and "See what comes next" in english.text
    assert (
        '<html lang="ja">' in japanese.text
        and "See what comes next" not in japanese.text
    )
    assert '<html lang="ja">' in ask("GET", "/?language=ja").text
    assert '<html lang="en">' in ask("GET", "/?language=../x", headers={}).text
    assert "default-src 'none'" in english.headers["content-security-policy"]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_nothing_is_left_to_fill_in(language):
    page = page_of(language).content.decode()
    assert not re.search(r"\{\{|\}\}|\$(words|plotly|language)\b", page)


def test_no_file_names_an_address_elsewhere():
    """Plotly's own bundle names the makers of its parts; the policy of the page and the test in a
    browser hold it."""
    own = {name: file for name, file in static_files().items() if name != PLOTLY_NAME}
    texts = [
        *(file.content.decode() for file in own.values()),
        page_of("en").content.decode(),
    ]
    found = {
        one for text in texts for one in re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text)
    }
    assert found <= {"http://www.w3.org"}  # the name of SVG


def test_every_text_of_the_page_has_its_japanese():
    scripts = [path for path in HERE.iterdir() if path.suffix in (".js", ".html")]
    page = "".join(path.read_text(encoding="utf-8") for path in scripts)
    said = {*re.findall(r"\{\{(.+?)\}\}", page), *re.findall(r'\bsay\("([^"]+)"', page)}
    assert len(said) > 80
    assert not [
        text for text in said | set(METHODS.values()) if not LETTERS.search(ja(text))
    ]


def ja(text):
    return words_of("ja")(text)


def test_every_script_is_served(ask):
    scripts = {path.name for path in HERE.glob("*.js")}
    assert scripts <= set(static_files())
    for name in (*scripts, "charts.js", "page.css", "report.css", "icon.svg"):
        assert (
            ask("GET", f"/static/{name}").headers["x-content-type-options"] == "nosniff"
        )
    assert ask("GET", "/favicon.ico").headers["content-type"] == "image/svg+xml"


def test_what_a_browser_has_is_not_sent_again(ask):
    first = ask("GET", "/static/app.js")
    again = ask(
        "GET", "/static/app.js", headers={"if-none-match": first.headers["etag"]}
    )
    assert again.status_code == 304 and not again.content
    assert (
        ask("GET", f"/static/{PLOTLY_NAME}")
        .headers["cache-control"]
        .endswith("immutable")
    )


def test_the_charts_are_packed_where_a_browser_takes_that(ask):
    packed = ask("GET", f"/static/{PLOTLY_NAME}", headers={"accept-encoding": "gzip"})
    plain = ask(
        "GET", f"/static/{PLOTLY_NAME}", headers={"accept-encoding": "identity"}
    )
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content == unpacked(static_files()[PLOTLY_NAME])
    assert len(gzip.compress(plain.content)) < 450_000


@pytest.mark.parametrize("name", ["x", "..%2Fapp.py", "%2e%2e%2fasked.py", "a" * 300])
def test_no_other_file_is_served(ask, name):
    problem(ask("GET", f"/static/{name}"), 404)


def test_the_page_is_open_and_its_data_are_not():
    ask = asking(token="secret")
    assert (
        ask("GET", "/").status_code == ask("GET", "/static/app.js").status_code == 200
    )
    problem(ask("GET", "/page/about"), 401, "authorization")
    problem(ask("POST", "/page/look", files=AIR), 401, "authorization")
    shown = {"authorization": "Bearer secret"}
    assert ask("GET", "/page/about", headers=shown).json()["models"] == []


# ---------------------------------------------------------------- a table


def test_what_was_read_is_told(ask):
    seen = ask("POST", "/page/look", files=AIR).json()
    assert seen["usable"] and seen["columns"] == ["month", "passengers"]
    assert (seen["time"], seen["target"], seen["usual"]) == (
        "month",
        "passengers",
        "12 months",
    )
    assert "<dd>144</dd>" in seen["data"]
    assert (
        ask("POST", "/page/look", files=AIR, headers=JAPANESE).json()["usual"]
        == "12か月"
    )


def test_columns_that_go_on_are_suggested(ask):
    seen = ask("POST", "/page/look", files=SHOP, data={"target": "sold"}).json()
    assert seen["suggested"] == ["price", "promo"]
    known = ask(
        "POST", "/page/look", files=SHOP, data=PLANNED | {"horizon": [], "cutoffs": []}
    )
    assert known.json()["future"] == ["price", "promo"]
    assert known.json()["suggested"] == []


@pytest.mark.parametrize(
    ("table", "field", "told"),
    [
        (
            "day,a,b\n2024-01-01,1,2\n2024-01-02,3,4\n2024-01-03,5,9\n",
            "target",
            "2 numeric columns",
        ),
        ("a,b\n1,x\n2,y\n3,z\n", "time", "no column of dates"),
        (
            "d,a\n2024-01-01,1\n2024-01-01,2\n2024-01-02,3\n2024-01-03,3\n",
            "series",
            "two rows",
        ),
    ],
)
def test_what_cannot_be_used_names_the_option_that_helps(ask, table, field, told):
    seen = ask("POST", "/page/look", files={"file": ("t.csv", table.encode())}).json()
    assert not seen["usable"] and seen["field"] == field
    assert told in seen["problem"] and "Python" not in seen["problem"]
    assert f"--{field}" not in seen["problem"], "the page has no options of the command"
    assert len(seen["columns"]) >= 2
    sent = {"files": {"file": ("t.csv", table.encode())}, "headers": JAPANESE}
    japanese = ask("POST", "/page/look", **sent).json()["problem"]
    assert LETTERS.search(japanese) and "Python" not in japanese


def test_what_is_no_table_is_refused_in_the_language_of_the_reader(ask):
    empty = {"file": ("t.csv", b"")}
    assert "is empty" in problem(ask("POST", "/page/look", files=empty), 422, "file")
    told = problem(
        ask("POST", "/page/look", files=empty, headers=JAPANESE), 422, "file"
    )
    assert LETTERS.search(told)
    assert "No table" in problem(ask("POST", "/page/look", json={}), 422, "file")
    problem(ask("POST", "/page/forecast", data={"target": "a"}), 415, "content-type")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"horizon": "0"}, "horizon"),
        ({"horizon": "1000000"}, "horizon"),
        ({"holidays": "Germany"}, "holidays"),
        ({"frequency": "bogus"}, "frequency"),
        ({"method": "magic"}, "method"),
        ({"level": "101"}, "level"),
        ({"future": "nowhere"}, "future"),
        ({"model": "air"}, "model"),
    ],
)
def test_what_is_wrong_names_its_control(ask, given, field):
    for headers in ({}, JAPANESE):
        answer = ask("POST", "/page/forecast", files=AIR, data=given, headers=headers)
        assert answer.json()["field"].split(".")[0] == field
        assert answer.status_code in (404, 422)


def test_the_limits_of_the_server_hold():
    ask = asking(limits=Limits(rows=100, body=3000))
    problem(ask("POST", "/page/look", files=AIR), 413, "series")
    large = {"file": ("t.csv", b"1" * 4000)}
    told = problem(
        ask("POST", "/page/look", files=large, headers=JAPANESE), 413, "body"
    )
    assert LETTERS.search(told)


# ---------------------------------------------------------------- a forecast


def test_the_page_shows_what_the_report_holds(air):
    assert set(air["parts"]) >= {"title", "verdict", "tiles", "accuracy", "series"}
    assert air["parts"]["title"].startswith("passengers: 12 months ahead")
    (pane,) = air["charts"]["panes"]
    assert len(pane["point"]) == 12 and [band["level"] for band in pane["bands"]] == [
        80
    ]
    assert air["series"] == ["airline"] and air["totals"]


def test_the_command_gives_the_same_numbers(ask, air, run, tmp_path, monkeypatch):
    (tmp_path / "airline.csv").write_bytes(airline_table())
    monkeypatch.chdir(tmp_path)
    _, *words = shlex.split(air["command"])
    assert run(*words, "--out", "forecast.csv", "--quiet").status == 0
    downloaded = ask("GET", address(air, "files/forecast.csv"))
    assert downloaded.content == (tmp_path / "forecast.csv").read_bytes()
    assert 'filename="forecast.csv"' in downloaded.headers["content-disposition"]


def test_files_are_those_of_the_command(ask, air):
    book = ask("GET", address(air, "files/forecast.xlsx")).content
    assert "Totals" in openpyxl.load_workbook(io.BytesIO(book)).sheetnames
    page = ask("GET", address(air, "files/report.html"), headers=JAPANESE)
    assert '<html lang="ja">' in page.text
    assert ask("GET", address(air, "files/totals.csv")).text.startswith("unique_id,ds,")


def test_a_file_or_result_that_is_not_there_is_a_problem(ask, air, shop):
    problem(ask("GET", address(air, "files/passwd")), 404, "name")
    problem(ask("GET", address(shop, "files/totals.csv")), 404, "name")
    told = problem(ask("GET", "/page/results/none/files/forecast.csv"), 404)
    assert told == "This forecast is no longer kept. Forecast again."
    told = ask("GET", "/page/results/none/chart?series=a", headers=JAPANESE).json()[
        "detail"
    ]
    assert LETTERS.search(told)


def test_the_chart_of_a_series_has_its_components(ask, air):
    chart = ask("GET", address(air, "chart?series=airline")).json()
    assert chart["panes"][0]["point"] == air["charts"]["panes"][0]["point"]
    parts = chart["components"][0]["parts"]
    assert [one["name"] for one in parts] == [
        "level",
        "season of one year",
        "remainder",
    ]
    problem(ask("GET", address(air, "chart?series=x")), 404, "series")


def test_a_saved_model_answers(tmp_path):
    model = lc.LSTMForecaster(horizon=3)
    (tmp_path / "airline.csv").write_bytes(airline_table())
    model.save(tmp_path / "air", lc.read(tmp_path / "airline.csv"))
    ask = asking(models={"air": tmp_path / "air"})
    assert ask("GET", "/page/about").json()["models"] == ["air"]
    given = {"model": "air", "level": "80"}
    made = ask("POST", "/page/forecast", files=AIR, data=given).json()
    assert made["command"].startswith("lstmcast predict --model air airline.csv")
    assert len(made["charts"]["panes"][0]["point"]) == 3


def test_names_from_data_are_no_html(ask):
    nasty = "<img src=x onerror=alert(1)>"
    rows = [f"2024-01-{d:02},{d}" for d in range(1, 29)]
    table = {"file": (f"{nasty}.csv", "\n".join([f"day,{nasty}", *rows]).encode())}
    answers = [
        ask("POST", f"/page/{what}", files=table).json()
        for what in ("look", "forecast")
    ]
    pieces = [answers[0]["data"], answers[0]["findings"], *answers[1]["parts"].values()]
    assert not [piece for piece in pieces if "<img" in piece]


def test_half_a_pair_of_letters_is_no_defect(ask):
    """JSON files may hold one; answers are UTF-8, which has no place for it."""
    days = np.datetime64("2024-01-01") + np.arange(30)
    rows = [
        {"day": str(day), "shop": shop, "sold": k % 7}
        for shop in ("a\ud800", "b")
        for k, day in enumerate(days)
    ]
    table = {"file": ("shops.json", json.dumps(rows).encode())}
    made = ask("POST", "/page/forecast", files=table, data={"cutoffs": "0"}).json()
    assert made["series"] == ["a?", "b"]
    answer = response_of(Problem(404, "There is no series 'a\ud800'.", "series"))
    assert json.loads(answer.body)["detail"] == "There is no series 'a?'."


def test_no_file_of_a_forecast_holds_a_formula(ask):
    rows = [
        f"2024-01-{d:02},{s},{d}" for s in ("=1+1", "@SUM(1)") for d in range(1, 29)
    ]
    table = {"file": ("shops.csv", "\n".join(["day,shop,sold", *rows]).encode())}
    given = {"total": "week", "cutoffs": "0", "series": "shop"}
    made = ask("POST", "/page/forecast", files=table, data=given).json()
    for name in ("forecast.csv", "totals.csv"):
        lines = ask("GET", address(made, f"files/{name}")).text.splitlines()
        assert {line[:2] for line in lines[1:]} == {"'=", "'@"}


# ---------------------------------------------------------------- plans and methods


def test_the_plan_is_told(ask, shop):
    assert shop["known"] == ["price", "promo"]
    plan = ask("GET", address(shop, "coming?series=shop")).json()
    assert len(plan["times"]) == len(plan["columns"]["promo"]["values"]) == 7
    assert plan["times"][0] == shop["charts"]["panes"][0]["future"][0]


def test_a_promotion_sells_more(ask, shop):
    given = {"series": "shop", "values": {"promo": [1] * 7}}
    found = ask("POST", address(shop, "what-if"), json=given).json()
    before = np.array(shop["charts"]["panes"][0]["point"])
    apart, lower, upper = map(np.array, found["difference"])
    assert (np.array(found["point"]).sum() / before.sum()) > 1.2
    np.testing.assert_allclose(before + apart, found["point"], rtol=1e-5)
    assert (lower <= apart).all() and (apart <= upper).all()
    assert "as given" in found["table"]
    assert (
        "Sums over all steps; differences with their 80% intervals." in found["table"]
    )
    told = ask("POST", address(shop, "what-if"), json=given, headers=JAPANESE).json()[
        "table"
    ]
    assert "変更後の計画" in told and "全ステップの合計です" in told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"values": {"promo": ["much"]}}, "not a number"),
        ({"values": {"rain": [1]}}, "no column 'rain'"),
        ({"values": {"promo": []}}, "at least 1"),
        ({"series": "x", "values": {"promo": [1]}}, "no series"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(ask, shop, given, told):
    answer = ask("POST", address(shop, "what-if"), json={"series": "shop", **given})
    assert answer.status_code in (404, 422) and told in answer.json()["detail"]


def test_methods_are_measured_side_by_side(ask, air):
    given = {"series": "airline", "methods": ["auto", "seasonal naive", "auto"]}
    found = ask("POST", address(air, "compare"), json=given).json()
    assert list(found["points"]) == ["combination", "seasonal naive"]
    np.testing.assert_allclose(
        found["points"]["combination"], air["charts"]["panes"][0]["point"], rtol=1e-5
    )
    assert found["table"].count("<tr") == 3 and len(found["times"]) == 12


def test_a_method_that_is_not_there_is_refused(ask, air):
    given = {"series": "airline", "methods": ["magic"]}
    assert "magic" in problem(
        ask("POST", address(air, "compare"), json=given), 422, "methods"
    )
    given["methods"] = ["auto"] * 7
    problem(ask("POST", address(air, "compare"), json=given), 422, "methods")


# ---------------------------------------------------------------- what is kept


def result(values=24):
    panel = lc.Panel.from_arrays(np.arange(float(values)))
    model = lc.LSTMForecaster(horizon=2, method="naive")
    return Kept(model, ForecastResult(panel, model.predict(panel), None, Written()), "")


def test_the_oldest_results_go_first(monkeypatch):
    monkeypatch.setattr(kept, "MOST", 2)
    store = Results()
    first, second = store.keep(result()), store.keep(result())
    store.named(first)
    store.keep(result())
    store.named(first)
    with pytest.raises(Problem, match="no longer kept"):
        store.named(second)


def test_large_results_make_room(monkeypatch):
    monkeypatch.setattr(kept, "MOST_VALUES", 100)
    store = Results()
    small, large = store.keep(result()), store.keep(result(200))
    store.named(large)
    with pytest.raises(Problem, match="no longer kept"):
        store.named(small)


def test_results_that_nobody_asks_for_go():
    now = [0.0]
    store = Results(clock=lambda: now[0])
    old, used = store.keep(result()), store.keep(result())
    now[0] = 3600 * kept.HOURS - 1
    store.named(used)
    now[0] += 2
    store.forget()
    store.named(used)
    with pytest.raises(Problem, match="no longer kept"):
        store.named(old)


@pytest.mark.services
@pytest.mark.parametrize(
    "script", sorted(HERE.glob("*.js")), ids=lambda path: path.name
)
def test_every_script_is_one(script, tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js reads the scripts")
    module = tmp_path / "script.mjs"  # the ending says that it is a module
    module.write_bytes(script.read_bytes())
    done = subprocess.run(
        [node, "--check", module], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_columns_beside_the_target_take_room():
    columns = {"volume": np.arange(24.0), "price": np.arange(26.0)}
    panel = lc.Panel.from_arrays(
        np.arange(24.0),
        past={"volume": columns["volume"]},
        future={"price": columns["price"]},
    )
    one = replace(result(), result=replace(result().result, panel=panel))
    assert one.size - result().size == 24 + 26


# ---------------------------------------------------------------- examples, and programs


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_can_be_read(ask, name):
    table = {"file": (name, ask("GET", f"/page/examples/{name}").content)}
    given = {"target": "sold"} if name == "shop.csv" else {}
    assert ask("POST", "/page/look", files=table, data=given).json()["usable"]
    problem(ask("GET", "/page/examples/none.csv"), 404)


def test_the_page_is_no_interface_for_programs(ask):
    assert not [
        path for path in ask("GET", "/openapi.json").json()["paths"] if "page" in path
    ]


def test_programs_may_name_known_columns_and_holidays(ask, run, tmp_path):
    (tmp_path / "shop.csv").write_bytes(shop_table())
    options = [
        "--target",
        "sold",
        "--future",
        "promo",
        "--holidays",
        "JP",
        "--cutoffs",
        "0",
    ]
    command = run("forecast", tmp_path / "shop.csv", *options, "--json", "--quiet").json
    given = {"target": "sold", "future": "promo", "holidays": "JP", "cutoffs": "0"}
    assert ask("POST", "/v1/forecast", files=SHOP, data=given).json() == json.loads(
        json.dumps(advised(command))
    )


def test_the_report_and_the_page_draw_by_the_same_script():
    assert (
        static_files()["charts.js"].content == (report.HERE / "charts.js").read_bytes()
    )
