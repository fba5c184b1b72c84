"""The page of `lstmcast serve` in a browser: headless Chromium, as Debian has it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lstmcast.server.page.examples import airline_table, shop_table

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="Playwright drives the browser"
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here to open the page in"),
]
LETTERS = re.compile("[ぁ-ヿ一-鿿]")
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
PATIENCE = 45_000  # milliseconds, on a machine that is busy
AIR = {"name": "airline.csv", "mimeType": "text/csv", "buffer": airline_table()}
SHOP_LINES = shop_table().splitlines()  # the newest of them are enough, and quicker
SHORT = b"\n".join([SHOP_LINES[0], *SHOP_LINES[-150:]])
SHOP = {"name": "shop.csv", "mimeType": "text/csv", "buffer": SHORT}
# What a reader of the screen would call each control: empty where it could not.
NAMELESS = """() => [...document.querySelectorAll("button, a, input, select, summary")]
    .filter((one) => one.checkVisibility())
    .filter((one) => !one.getAttribute("aria-label") && !one.textContent.trim())
    .filter((one) => !one.labels?.length)
    .map((one) => one.outerHTML)"""


def serving(*options: str, **environment: str) -> Iterator[str]:
    """A server of its own process, and its address."""
    command = [sys.executable, "-m", "lstmcast", "serve", "--port", "0", *options]
    server = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    try:
        assert server.stderr is not None
        yield re.search(r"http://\S+", server.stderr.readline())[0]
    finally:
        server.terminate()
        server.communicate(timeout=20)


@pytest.fixture(scope="module")
def address():
    yield from serving()


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, address):
    """Open the page; nothing may be asked of another address, and no script may fail."""
    contexts, asked, said = [], [], []

    def opened(path="/", at=address, **looks):
        context = browser.new_context(**{"viewport": DESK, "locale": "en-US", **looks})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "console",
            lambda message: said.append(message.text) if alarming(message) else None,
        )
        page.goto(at + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    local = ("http://127.0.0.1:", "blob:http://127.0.0.1:", "data:")
    assert not [url for url in asked if not url.startswith(local)]
    assert not said


def alarming(message) -> bool:
    """Whether the console says that something is wrong: what a server refuses, and a file that is
    not sent, are told there too."""
    told = ("status of 4", "ERR_UPLOAD_FILE_CHANGED")
    return message.type in ("error", "warning") and not any(
        text in message.text for text in told
    )


def forecast(page, table, target=None):
    """Choose a file, and wait for its forecast."""
    page.set_input_files("#file", files=[table])
    if target is not None:
        page.select_option("#target", target)
    return ready(page)


def ready(page):
    page.wait_for_selector("#result:not([hidden])")
    page.wait_for_selector("#busy", state="hidden")
    page.wait_for_selector("#chart .main-svg")
    return page


def again(page):
    """Ask for the forecast with other options."""
    with page.expect_response(re.compile("/page/forecast")):
        page.click("#go")
    return ready(page)


# ---------------------------------------------------------------- from a file to a forecast


def test_one_button_shows_a_forecast(visit):
    page = visit()
    page.click("[data-example='airline.csv']")
    ready(page)
    assert page.inner_text("#result-title") == "passengers: 12 months ahead"
    assert "better than seasonal naive" in page.inner_text("#verdict")
    assert page.locator("#tiles b").count() >= 5
    assert "Holt–Winters" in page.inner_text("#more-results")
    assert page.get_attribute("#chart", "aria-label").startswith("Chart of ")
    assert page.input_value("#target") == "passengers"
    assert page.inner_text("#command") == ""  # folded
    page.click("summary:text('The same as a command')")
    assert page.inner_text("#command").startswith("lstmcast forecast airline.csv")


def test_options_change_the_forecast(visit):
    page = forecast(visit(), AIR)
    page.fill("#horizon", "6")
    page.uncheck("input[name=level][value='95']")
    page.click("#more > summary")
    page.select_option("#total", "quarter")
    again(page)
    assert page.inner_text("#result-title") == "passengers: 6 months ahead"
    assert page.is_visible("#totals-file")
    page.click("summary:text('The numbers')")
    assert page.locator("#numbers tbody tr").count() == 6
    assert "95% interval" not in page.inner_text("#numbers")
    assert "Totals" in page.inner_text("#more-results")


def test_a_question_is_asked_at_its_option(visit):
    page = visit()
    page.set_input_files("#file", files=[SHOP])
    page.wait_for_selector("#target[aria-invalid=true]")
    assert "could be the target" in page.inner_text("#blamed")
    assert page.get_attribute("#target", "aria-describedby") == "blamed"
    assert page.is_disabled("#go")
    page.select_option("#target", "sold")
    ready(page)
    # it goes on beyond the target
    assert page.is_checked("input[name=future][value=promo]")
    assert page.locator("[aria-invalid]").count() == 0


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("horizon", "0", "at least 1"),
        ("horizon", "99999", "too long"),
        ("holidays", "Germany", "DE"),
    ],
)
def test_a_fault_stands_beside_its_control(visit, field, value, told):
    page = forecast(visit(), AIR)
    page.evaluate("document.getElementById('more').open = true")
    page.fill(f"#{field}", value)
    page.click("#go")
    page.wait_for_selector(f"#{field}[aria-invalid=true]")
    assert told in page.inner_text("#blamed")
    assert page.evaluate(
        "field => document.getElementById(field).closest('.field').contains(blamed)",
        field,
    )
    page.fill(f"#{field}", "")
    again(page)
    assert page.locator("#blamed").count() == 0


def test_what_is_no_table_is_told_at_the_file(visit):
    page = visit()
    page.set_input_files(
        "#file", files=[{"name": "a.csv", "mimeType": "text/csv", "buffer": b""}]
    )
    page.wait_for_selector("#file-fault:not([hidden])")
    assert "is empty" in page.inner_text("#file-fault")
    assert page.is_visible("#drop")


def test_work_is_seen_and_what_comes_later_replaces_it(visit):
    page = visit()
    page.route(
        "**/page/forecast",
        lambda route: (page.wait_for_timeout(400), route.continue_()),
    )
    page.set_input_files("#file", files=[AIR])
    page.wait_for_selector("#busy:not([hidden])")
    assert "Forecasting" in page.inner_text("#busy-text")
    assert page.get_attribute("#results", "aria-busy") == "true"
    ready(page)
    assert page.get_attribute("#results", "aria-busy") == "false"
    assert page.inner_text("#said").startswith("Done. Accuracy on held-out data")


@pytest.mark.parametrize(
    ("name", "begins"),
    [("forecast.csv", b"ds,"), ("forecast.xlsx", b"PK"), ("report.html", b"<!")],
)
def test_files_are_saved(visit, name, begins, tmp_path):
    page = forecast(visit(), AIR)
    with page.expect_download() as saved:
        page.click(f"[data-file='{name}']")
    saved.value.save_as(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    assert saved.value.suggested_filename == name
    assert begins in content[:100]


def test_other_data_begin_anew(visit):
    page = forecast(visit(), AIR)
    page.fill("#horizon", "3")
    page.click("#other")
    assert page.is_visible("#drop")
    forecast(page, SHOP, "sold")
    assert page.input_value("#horizon") == ""
    assert page.inner_text("#result-title").startswith("sold: ")


# ---------------------------------------------------------------- looks, languages, hands


def test_it_is_as_wide_as_a_phone(visit):
    page = visit(viewport=PHONE, has_touch=True, color_scheme="dark")
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(wide) == PHONE["width"]
    forecast(page, SHOP, "sold")
    assert page.evaluate(wide) == PHONE["width"]
    page.click("[data-view=streams]")
    assert page.evaluate(wide) == PHONE["width"]


def test_light_and_dark(visit):
    ground = "getComputedStyle(document.body).backgroundColor"
    assert visit(color_scheme="light").evaluate(ground) == "rgb(244, 246, 248)"
    page = visit(color_scheme="dark")
    assert page.evaluate(ground) == "rgb(18, 23, 28)"
    page.click("#theme")
    assert page.evaluate(ground) == "rgb(244, 246, 248)"
    page.reload()
    assert page.evaluate(ground) == "rgb(244, 246, 248)"  # as it was chosen


def test_japanese_has_no_english_left_and_every_control_a_name(visit):
    page = visit(locale="ja-JP")
    forecast(page, SHOP, "sold")
    page.evaluate(
        "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
    )
    page.wait_for_selector("#components .main-svg")
    assert page.evaluate(NAMELESS) == []
    lines = page.inner_text("body").splitlines()
    english = re.compile(r"\b(the|is|are|of|and|with|each|than)\b")
    assert not [line for line in lines if english.search(line)]
    page.click("[data-view=streams]")
    lines = page.inner_text("#streams-view").splitlines()
    assert not [
        one for one in lines if re.search("[a-z]{4}", one) and not LETTERS.search(one)
    ]
    page.click("#language")
    page.wait_for_selector("html[lang=en]")


def test_a_keyboard_is_enough(visit):
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.example"):
            break
    assert page.evaluate("document.activeElement.dataset.example") == "airline.csv"
    page.keyboard.press("Enter")
    ready(page)
    page.focus("#horizon")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    page.wait_for_selector("#result-title:text(' 3 months')")


# ---------------------------------------------------------------- plans, methods, components


def test_another_plan_is_compared(visit):
    page = forecast(visit(), SHOP, "sold")
    page.click("#plan-go")
    assert "Nothing is changed" in page.inner_text("#plan-fault")
    for field in page.locator("#plan [data-name=promo]").all():
        field.fill("1")
    page.click("#plan-go")
    page.wait_for_selector("#plan-result table")
    assert "what if" in page.inner_text("#plan-result")
    assert "what if" in page.inner_text("#chart")  # in the legend
    page.locator("#plan [data-name=promo]").first.fill("much")
    page.click("#plan-go")
    page.wait_for_selector("#plan-fault:not([hidden])")
    assert "'much' is not a number" in page.inner_text("#plan-fault")
    page.click("#plan-reset")
    assert page.locator("#plan .changed").count() == 0
    assert "what if" not in page.inner_text("#chart")


def test_methods_and_components(visit):
    page = forecast(visit(), AIR)
    page.click("#compare-go")
    page.wait_for_selector("#compare-table table")
    assert page.locator("#compare-table tbody tr").count() == 3
    assert "network alone" in page.inner_text("#compare-chart")
    page.click("#parts > summary")
    page.wait_for_selector("#components .main-svg")
    assert "season of one year" in page.inner_text("#components")


def test_several_series_are_drawn_one_by_one(visit):
    page = forecast(visit(), shops(("north", "south")))
    assert page.input_value("#shown") == "north"
    page.fill("#shown", "south")
    page.keyboard.press("Tab")
    page.wait_for_selector("#chart[aria-label*=south]")


def shops(names):
    """A table of shops over four months."""
    rows = [
        f"2024-{m:02}-{d:02},{s},{d % 7 + k}"
        for k, s in enumerate(names)
        for m in range(1, 5)
        for d in range(1, 29)
    ]
    table = "\n".join(["day,shop,sold", *rows]).encode()
    return {"name": "shops.csv", "mimeType": "text/csv", "buffer": table}


def test_what_is_asked_of_a_series_stays_with_it(visit):
    """An answer that comes late is about the series before; one that fails is told."""
    page = forecast(visit(), shops(("north", "south", "west")))
    kept = []
    page.route("**/compare", lambda route: kept.append(route))
    page.click("#compare-go")
    page.fill("#shown", "south")
    page.keyboard.press("Tab")
    page.wait_for_selector("#chart[aria-label*=south]")
    with page.expect_response("**/compare"):
        kept[0].continue_()
    page.wait_for_selector("#compare-go:enabled")
    assert page.locator("#compare-chart").is_hidden()
    page.fill("#shown", "nowhere")
    page.keyboard.press("Tab")
    page.wait_for_selector("#shown-fault:text('no series \\'nowhere\\'')")
    assert page.input_value("#shown") == "south"


def test_a_file_is_told_about_where_it_was_dropped(visit, tmp_path):
    table = tmp_path / "airline.csv"
    table.write_bytes(airline_table())
    page = visit()
    page.set_input_files("#file", files=[table])
    ready(page)
    large = (
        "Object.defineProperty(new File(['x'], 'large.csv'), 'size', { value: 1e9 })"
    )
    given = f"{{ dataTransfer: {{ files: [{large}] }} }}"
    drop = f"document.dispatchEvent(Object.assign(new Event('drop'), {given}))"
    page.evaluate(f"() => {{ {drop} }}")
    page.wait_for_selector("#data-fault:text('larger than 32 MB')")
    assert page.inner_text("#file-name") == "airline.csv"
    table.write_text("month,passengers\n")
    later = table.stat().st_mtime + 60  # browsers look at whole seconds
    os.utime(table, (later, later))
    page.click("#go")
    page.wait_for_selector(".fault:visible:text('airline.csv was changed or moved')")


# ---------------------------------------------------------------- streams, tokens, no server


def test_a_stream_is_followed_with_its_alerts(visit):
    page = visit()
    page.click("[data-view=streams]")
    page.evaluate("document.getElementById('speed').value = 20")
    page.click("#replay")
    page.wait_for_selector("#alerts li", timeout=60_000)
    assert re.search(r"sensor: [\d.]+, expected", page.inner_text("#alerts li"))
    assert page.locator("#stream-list li").count() == 1
    assert page.locator("#stream-chart .main-svg").count() > 0
    page.click("#replay-stop")
    page.wait_for_selector("#stream-state:text('The stream has ended.')")


def test_a_view_begins_at_its_top_and_shows_no_empty_chart(visit):
    page = visit(viewport={"width": 390, "height": 500})
    page.click("[data-example='airline.csv']")
    page.wait_for_selector("#result:not([hidden]) #chart .main-svg")
    page.evaluate("scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
    page.click("[data-view=streams]")
    assert page.evaluate("scrollY") == 0
    assert page.locator("#stream-chart").is_hidden()


def test_two_pages_replay_the_example_side_by_side(visit):
    pages = [visit(), visit()]
    for page in pages:
        page.click("[data-view=streams]")
        page.click("#replay")
        page.wait_for_selector("#stream-state:text('tick 7')")
    told = pages[0].inner_text("#stream-state")
    pages[0].wait_for_function(
        "told => document.getElementById('stream-state').textContent != told", arg=told
    )
    pages[1].click("#stream-refresh")
    pages[1].wait_for_function(
        "document.querySelectorAll('#stream-list li').length == 2"
    )
    for page in pages:
        page.click("#replay-stop")
        page.wait_for_selector("#stream-state:text('The stream has ended.')")
        assert page.locator("#stream-fault").is_hidden()


def test_a_token_is_asked_for(visit):
    for at in serving(LSTMCAST_TOKEN="秘密"):
        page = visit(at=at)
        page.wait_for_selector("#login[open]")
        page.keyboard.press("Escape")
        page.wait_for_selector("#file-fault:text('asks for a token')")
        page.click("[data-example='airline.csv']")
        page.fill("#token", "違う")
        page.keyboard.press("Enter")
        page.wait_for_selector("#login-fault:not([hidden])")
        page.fill("#token", "秘密")
        page.keyboard.press("Enter")
        ready(page)


def test_a_server_that_has_ended_is_told(browser):
    addresses = serving()
    page = browser.new_context(locale="en-US").new_page()
    page.goto(next(addresses))
    page.wait_for_load_state("networkidle")
    addresses.close()
    page.set_input_files("#file", files=[AIR])
    page.wait_for_selector("#file-fault:not([hidden])")
    assert (
        page.inner_text("#file-fault") == "The server cannot be reached. Is it running?"
    )
    page.context.close()


# ---------------------------------------------------------------- trainings


def test_a_training_is_followed_stopped_and_compared(visit):
    page = forecast(visit(), AIR)
    page.select_option("#train-what", "scratch")
    page.fill("#train-epochs", "4000")
    page.fill("#train-name", "mine")
    page.focus("#train-go")
    page.keyboard.press("Enter")
    page.wait_for_selector("#train-chart .main-svg")
    assert "left" in page.inner_text("#train-state")
    assert page.get_attribute("#train-chart", "aria-label").startswith(
        "Training and validation loss"
    )
    assert page.evaluate("document.getElementById('train-progress').value") > 0
    page.click("#train-stop")
    page.wait_for_selector("#train-use:not([hidden])")
    assert page.inner_text("#train-state").startswith("stopped")
    assert page.text_content("#train-said") == "mine: stopped"
    assert page.evaluate(NAMELESS) == []
    page.click("#train-use")
    page.wait_for_selector("#compare-table table")
    assert "mine" in page.inner_text("#compare-table")
    assert "validation data" in page.inner_text("#compare-note")
    assert page.locator("#method option[value='model:mine']").count() == 1
    with page.expect_download() as download:
        page.click("#train-file")
    assert download.value.suggested_filename == "mine.zip"
    again = forecast(visit(viewport=PHONE, locale="ja-JP", color_scheme="dark"), AIR)
    again.click("#train-others summary")
    again.click("#train-list button")
    again.wait_for_selector("#train-chart .main-svg")
    assert again.locator("#method option[value='model:mine']").count() == 1
    assert LETTERS.search(again.inner_text("#train-state"))
    assert again.evaluate("document.documentElement.scrollWidth <= innerWidth")
    again.click("#train-remove")
    again.wait_for_selector("#train-now", state="hidden")
    again.wait_for_selector("#method option[value='model:mine']", state="detached")


def test_what_is_wrong_with_a_training_stands_there(visit):
    page = forecast(visit(), AIR)
    page.fill("#train-minutes", "500")
    page.click("#train-go")
    page.wait_for_selector("#train-fault:not([hidden])")
    assert "at most 60" in page.inner_text("#train-fault")


OLD = {
    "name": "old",
    "state": "failed",
    "detail": "The training process was ended by SIGKILL.",
    "resumable": True,
    "model": None,
    "data": {"target": "passengers"},
    "notes": [],
    "epochs": [
        {
            "run": 0,
            "member": 0,
            "members": 1,
            "epoch": epoch,
            "epochs": 9,
            "train": 1 / epoch,
            "validation": None,
            "best_epoch": epoch,
            "left": 1,
        }
        for epoch in (1, 2, 3)
    ],
}


def test_a_training_that_failed_says_why_and_can_go_on(visit):
    page = visit()
    page.route(
        "**/v1/trainings", lambda route: route.fulfill(json={"trainings": [OLD]})
    )
    page.route("**/v1/trainings/old", lambda route: route.fulfill(json=OLD))
    forecast(page, AIR)
    page.click("#train-others summary")
    page.click("#train-list button")
    page.wait_for_selector("#train-resume:not([hidden])")
    assert "SIGKILL" in page.inner_text("#train-reason")
    assert page.inner_text("#train-state") == "failed · 3 epochs"
    assert page.is_hidden("#train-use") and page.is_hidden("#train-stop")


def test_a_server_that_trains_nothing_says_so(visit):
    for address in serving("--max-trainings", "0"):
        page = forecast(visit(at=address), AIR)
        page.wait_for_selector("#no-training:not([hidden])")
        assert "--max-trainings 0" in page.inner_text("#no-training")
        assert page.is_hidden("#train-form")
