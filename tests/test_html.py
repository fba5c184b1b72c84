"""What notebooks show: small, escaped, bounded, and without colours of its own ground."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.evaluation.baselines import Naive
from lstmcast.training_history import Epoch, History
from lstmcast.util.html import MOST_POINTS, Markup, picture, table
from lstmcast.util.text import decimals_of

VOID = {"meta", "br", "hr", "img"}
EVIL = "<script>alert('x')</script>\"&"


class Outline(HTMLParser):
    """Fails on tags that do not match; collects tags, attributes and text."""

    def __init__(self, page: str):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], [], [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def panel_of(series: int = 1, length: int = 40) -> lc.Panel:
    values = {f"s{i}": np.sin(np.arange(length)) * 50 + 100 + i for i in range(series)}
    return lc.Panel.from_arrays(values, frequency="D", start="2024-01-01")


def evil_panel() -> lc.Panel:
    values = {EVIL: np.arange(30.0), "b\n\u202eb": np.r_[np.nan, np.arange(29.0)]}
    return lc.Panel.from_arrays(values, frequency="D", start="2024-01-01")


def things() -> dict[str, object]:
    panel, evil = panel_of(), evil_panel()
    findings = lc.Findings(
        [
            lc.Finding("r", "note", f"a note about {EVIL}"),
            lc.Finding("r", "error", "an error"),
        ]
    )
    return {
        "panel": panel,
        "evil panel": evil,
        "findings": findings,
        "no findings": lc.Findings(),
        "forecast": Naive().predict(panel, 5),
        "evil forecast": Naive().predict(evil, 5),
        "lstm forecast": lc.LSTMForecaster(horizon=5).predict(panel),
        "backtest": lc.backtest(Naive(), evil, horizon=3),
        "summary": lc.backtest(Naive(), panel, horizon=3).summary(),
        "empty backtest": lc.backtest(Naive(), panel_of(length=4), horizon=3),
        "forecaster": lc.LSTMForecaster(horizon=5),
    }


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: thing._repr_html_() for name, thing in things().items()}


def test_every_page_is_sound_small_and_harmless(pages):
    for name, page in pages.items():
        outline = Outline(page)
        assert not {"script", "style", "link", "img", "iframe", "object"} & set(
            outline.tags
        ), name
        assert not [
            key
            for key, _ in outline.attributes
            if key.startswith("on") or key in ("href", "src", "id")
        ], name
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page), name
        assert len(page) < 20_000, name


def test_colours_come_from_the_page(pages):
    for name, page in pages.items():
        assert not re.search(r"background:(?!transparent)|[^-]color:", page), name
        assert set(re.findall(r"#[0-9a-f]{6}", page)) <= {"#4a8fe7"}, name


def test_names_are_escaped_and_of_one_line(pages):
    for name in ("evil panel", "evil forecast", "findings"):
        assert "<script" not in pages[name] and "&lt;script&gt;" in pages[name]
    assert EVIL in "".join(Outline(pages["evil panel"]).texts)
    assert "\u202e" not in pages["evil panel"]


def test_a_panel_shows_its_first_series(pages):
    page = panel_of(series=500)._repr_html_()
    assert (
        page.count("<svg") == 10 and "490 more series" in page and "500 series" in page
    )
    outline = Outline(pages["panel"])
    assert {"s0", "40", "2024-01-01", "2024-02-09"} <= set(outline.texts)
    values = np.random.default_rng(0).normal(size=200_000)
    assert len(lc.Panel.from_arrays(values)._repr_html_()) < 6_000


def test_a_panel_names_its_findings(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(
        "ds,y\n"
        + "".join(f"2024-01-{day:02},{day}.5\n" for day in (1, 2, 3, 5, 6, 7, 8))
    )
    assert "1 finding from reading: see .check()" in lc.read(path)._repr_html_()


def test_findings_come_with_errors_first(pages):
    texts = Outline(pages["findings"]).texts
    assert texts.index("error") < texts.index("note")
    many = lc.Findings([lc.Finding("r", "note", f"number {i}") for i in range(50)])
    assert "… and 30 more findings" in many._repr_html_()
    assert "no findings" in pages["no findings"]


def test_a_forecast_of_one_origin_shows_its_steps(pages):
    texts = Outline(pages["lstm forecast"]).texts
    assert {
        "ds",
        "forecast",
        "80% interval",
        "95% interval",
        "2024-02-10",
        "2024-02-14",
    } <= set(texts)
    assert pages["lstm forecast"].count("<svg") == 1
    assert "… and 36 more steps" in Naive().predict(panel_of(), 60)._repr_html_()


def test_a_forecast_of_many_origins_shows_a_row_of_each():
    forecast = lc.LSTMForecaster(horizon=5).predict(panel_of(series=12))
    page = forecast._repr_html_()
    assert (
        page.count("<svg") == 10
        and page.count("<tr>") == 11
        and "… and 2 more origins" in page
    )
    nothing = forecast.rows(np.zeros(12, bool))
    assert "0 series" in Outline(nothing._repr_html_()).texts[0]


def test_a_backtest_is_shown_as_its_summary(pages):
    assert (
        "Accuracy on held-out data" in pages["backtest"]
        and "MASE by step" in pages["backtest"]
    )
    assert (
        "not judged" in pages["empty backtest"]
        and "<table" not in pages["empty backtest"]
    )


def test_a_forecaster_says_what_it_is_and_what_it_remembers(pages, tmp_path):
    assert (
        "LSTM layers" in pages["forecaster"] and "remembers" not in pages["forecaster"]
    )
    lc.LSTMForecaster(horizon=5).save(tmp_path / "m", panel_of())
    assert "remembers" in lc.load(tmp_path / "m")._repr_html_()


def test_pictures_have_gaps_and_keep_extremes():
    assert picture(np.array([np.nan, np.nan])) == ""
    assert picture(np.array([1.0, 2.0, np.nan, 3.0, np.nan])).count("M") == 2
    flat = picture(np.full(3, 7.0))
    assert "nan" not in flat and "inf" not in flat
    assert "nan" not in picture(np.array([-1.7e308, 1.7e308]))
    spike = np.zeros(100_000)
    spike[54_321] = 1.0
    line = picture(spike, height=100)
    assert " 2.0" in line and line.count("L") <= MOST_POINTS
    gap = np.arange(1000.0)
    gap[400:600] = np.nan
    assert picture(gap).count("M") == 2


def test_ready_made_markup_is_left_and_other_text_is_not():
    page = table(["<a>"], [[Markup("<i>x</i>")], ["<i>"]])
    assert "<i>x</i>" in page and "&lt;i&gt;" in page and "&lt;a&gt;" in page


def test_decimals_follow_the_size():
    assert [
        decimals_of(np.array([size])) for size in (0.0, 1234.5, 0.01, 1e20, np.nan)
    ] == [
        3,
        0,
        5,
        None,
        3,
    ]


def test_a_history_shows_its_newest_epochs():
    rows = tuple(
        Epoch(
            0,
            e,
            e,
            1 / (e + 1),
            np.nan if e == 3 else 2 / (e + 1),
            1e-3,
            float(e),
            e == 19,
        )
        for e in range(20)
    )
    page = History(rows)._repr_html_()
    assert "best validation loss 0.1 in epoch 19" in page and "kept" in page
    assert page.count("<tr") == 13 and "19 epochs" in page
