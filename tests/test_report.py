"""The page to hand on: it holds what it promises, means what the data say, and needs nothing
from outside."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from commands import here
from lstmcast import jobs
from lstmcast import pretrained as beginning
from lstmcast.cli import app as cli
from lstmcast.data.origins import origins_of
from lstmcast.data.panel import Columns, Panel
from lstmcast.errors import OutputError, UsageError
from lstmcast.evaluation.baselines import Naive, SeasonalNaive
from lstmcast.fitted import Fitted
from lstmcast.forecast import QUANTILES, Forecast
from lstmcast.model.heads import head_named
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import Network, NetworkConfig, array_shapes
from lstmcast.output import cards, report
from lstmcast.output.places import Looks, Outputs
from lstmcast.output.report import Report
from lstmcast.output.report_sections import tiles_section
from lstmcast.training_config import TrainingConfig, Validation
from lstmcast.training_history import Epoch, History
from lstmcast.training_record import InitialWeights, Record
from lstmcast.transforms import Difference, Standard
from lstmcast.util import html

AIRLINE = Path(__file__).parents[1] / "examples" / "airline.csv"
NASTY = "</script><img src=x onerror=document.title='broken'><!--"
CHROMIUM = (
    shutil.which("chromium")
    or shutil.which("chromium-browser")
    or shutil.which("google-chrome")
)


class LastSeason:
    """A quick model with intervals: the last season again."""

    name, horizon = "last season", 6

    def predict(self, panel, horizon=None, *, cutoffs=None):
        point = (
            SeasonalNaive(horizon or self.horizon)
            .predict(panel, horizon, cutoffs=cutoffs)
            .point
        )
        bounds = point[:, :, None] + np.array([-20, -10, 0, 10, 20])
        return Forecast.at_origins(
            panel, origins_of(panel, cutoffs), point, bounds, QUANTILES
        )


def monthly(count: int = 1, length: int = 60, names: str = "store {}") -> Panel:
    t = np.arange(length)
    values = {
        names.format(i): 100 + t + 20 * np.sin(2 * np.pi * t / 12) + 5 * i
        for i in range(count)
    }
    return Panel.from_arrays(values, frequency="MS", start="2015-01")


def report_of(panel: Panel, model=None, cutoffs: int = 3) -> Report:
    model = model or LastSeason()
    tested = lc.backtest(model, panel, cutoffs=cutoffs) if cutoffs else None
    return Report.from_forecast(
        model.predict(panel), panel, tested, model=model, made_on=date(2026, 1, 2)
    )


class Elements(HTMLParser):
    """What a browser would make of a page: its elements, the text outside scripts, and the data
    of the charts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.scripts: list[str] = []
        self.said: list[str] = []
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts[-1] += data
        elif self.inside != "style":
            self.said.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.said).split())

    @property
    def data(self) -> dict:
        return json.loads(self.scripts[0])


# ---------------------------------------------------------------- what the page holds


def test_the_page_of_one_series_holds_all_parts():
    page = Elements(report_of(monthly()).html())
    for words in (
        "Accuracy on held-out data:",
        "mean absolute error",
        "Forecast, 6 months ahead: 2020-01-01 to 2020-06-01",
        "How accurate it would have been",
        "seasonal naive",
        "Do the intervals have",
        "monthly (month starts)",
        "Findings",
        "2026-01-02",
        f"lstmcast {lc.__version__}",
        "lstmcast.Report.from_forecast",
    ):
        assert words in page.text, words
    assert "Series</h2>" not in page.text
    assert not [tag for tag, _ in page.elements if tag == "select"]


def test_charts_draw_what_forecast_and_backtest_hold():
    made = report_of(monthly())
    data = Elements(made.html()).data
    (pane,) = data["panes"]
    np.testing.assert_allclose(pane["point"], made.forecast.point[0], rtol=1e-6)
    np.testing.assert_allclose(pane["values"], made.panel.series(0), rtol=1e-6)
    assert [band["level"] for band in pane["bands"]] == [95, 80]
    assert len(pane["held_out"]) == 3
    own = next(model for model in data["steps"]["models"] if model["own"])
    steps = made.backtest.per_horizon()
    assert own["values"] == steps["mae"][steps["model"] == "last season"].tolist()
    assert data["steps"]["metric"] == "MAE"
    assert data["axis"] == "date"


def test_several_series_have_a_selector_a_table_and_relative_errors():
    page = Elements(report_of(monthly(3)).html())
    options = [attributes for tag, attributes in page.elements if tag == "option"]
    assert [option["value"] for option in options] == ["0", "1", "2"]
    assert page.text.count("store 2") == 2
    assert page.data["steps"]["metric"] == "MASE"


def test_chosen_series_and_a_unit_rule_the_chart(tmp_path):
    panel = monthly(30)
    forecast = LastSeason().predict(panel)
    chosen = {"series": ["store 29", "store 3"], "unit": "tons"}
    page = Elements(Report.from_forecast(forecast, panel, **chosen).html())
    options = [attributes for tag, attributes in page.elements if tag == "option"]
    assert len(options) == 2 and page.data["unit"] == "tons"
    looks = Looks(("store 29",), "tons")
    path = tmp_path / "report.html"
    Outputs(report=path, looks=looks).write(forecast, panel, None, LastSeason())
    written = Elements(path.read_text("utf-8"))
    assert written.data["unit"] == "tons" and "store 29" in written.text
    assert "option" not in [tag for tag, _ in written.elements]


def test_the_card_is_that_of_the_shipped_network():
    panel = monthly()
    shipped = lc.LSTMForecaster(6)
    assert (
        "<summary>Model card</summary>" in report_of(panel, shipped, cutoffs=0).html()
    )
    assert (
        "Training data." in Elements(report_of(panel, shipped, cutoffs=0).html()).text
    )
    assert "Model card" not in Elements(report_of(panel).html()).text


def test_without_a_backtest_the_page_says_so():
    page = Elements(report_of(monthly(), cutoffs=0).html())
    assert "Accuracy was not measured" in page.text
    assert page.data["steps"] is None


def test_a_history_too_short_to_judge_is_explained():
    page = Elements(report_of(monthly(length=8)).html())
    assert "not judged: the longest series has 8 values" in page.text


@pytest.mark.parametrize(
    ("skill", "told"),
    [
        (-0.0007, "&lt; 1%</b><span>more"),
        (0.004, "&lt; 1%</b><span>less"),
        (0.0, "0%</b><span>less"),
        (0.031, "3%</b><span>less"),
    ],
)
def test_a_difference_below_1_percent_is_not_called_0(skill, told):
    tested = lc.backtest(LastSeason(), monthly(), cutoffs=3).summary()
    changed = tested.scores[tested.model] | {"skill": skill}
    summary = replace(tested, scores=tested.scores | {tested.model: changed})
    assert f"<b>{told} error than" in tiles_section(summary, str)


def test_newest_values_that_are_whole_have_no_decimals():
    values = {"a": np.arange(30.0) + 1200, "b": np.arange(30.0) / 4}
    panel = Panel.from_arrays(values, frequency="D", start="2020-01-01")
    page = Elements(report_of(panel).html())
    assert "2020-01-30 1,229" in page.text and "2020-01-30 7.250" in page.text


def test_a_model_without_intervals():
    panel = monthly()
    page = Elements(report_of(panel, Naive(4, quantiles=())).html())
    assert page.data["panes"][0]["bands"] == []
    assert "Do the intervals have" not in page.text


@pytest.mark.parametrize(
    ("panel", "axis"),
    [
        (Panel.from_arrays(np.arange(30.0) % 7), "linear"),
        (Panel.from_arrays(np.arange(30.0), frequency="YS", start="9990"), "category"),
        (
            Panel.from_arrays(
                [1.0, np.nan, 3.0, np.nan, 5.0] * 6, frequency="D", start="2020-01-01"
            ),
            "date",
        ),
        (
            Panel.from_arrays(np.full(30, 4.0), frequency="h", start="2020-01-01"),
            "date",
        ),
    ],
    ids=["integers", "beyond calendars", "missing", "constant"],
)
def test_times_and_values_of_any_kind(panel, axis):
    data = Elements(report_of(panel).html()).data
    assert data["axis"] == axis
    assert data["panes"][0]["values"] == [
        v if v == v else None for v in panel.values.tolist()
    ]


def test_one_step_ahead_has_no_chart_of_steps():
    page = report_of(monthly(), lc.LSTMForecaster(1)).html()
    assert "Forecast, 1 month ahead: 2020-01-01" in page
    assert "2020-01-01 to" not in Elements(page).text
    assert 'id="steps"' not in page


def test_the_tile_compares_with_the_better_of_the_simple_forecasts():
    panel = Panel.from_arrays(
        np.cumsum(np.random.default_rng(1).normal(size=200)),
        frequency="D",
        start="2024-01-01",
    )
    page = Elements(report_of(panel, SeasonalNaive(2), cutoffs=8).html())
    assert "no better than naive" in page.text
    assert "more error than the naive forecast" in page.text
    assert (
        'class="verdict poor"' in report_of(panel, SeasonalNaive(2), cutoffs=8).html()
    )


def test_totals_stand_in_a_table():
    panel = monthly(2)
    forecast = Naive(6).predict(panel)
    page = Report.from_forecast(
        forecast, panel, totals=forecast.total("quarter", by="all")
    )
    text = Elements(page.html()).text
    assert "Totals quarter total 80% interval 95% interval 2020-01-01" in text
    assert "Totals" not in Elements(report_of(panel, Naive(6)).html()).text


def test_a_forecast_of_other_series_is_refused():
    with pytest.raises(UsageError, match="no series of this panel"):
        Report.from_forecast(LastSeason().predict(monthly(2, names="a{}")), monthly(2))


# ---------------------------------------------------------------- what was trained


def rows(
    member: int = 0, kept: int = 2, start: float | None = 0.61, losses=(0.5, 0.4, 0.45)
) -> list[Epoch]:
    begun = (
        []
        if start is None
        else [Epoch(member, 0, 0, np.nan, start, 0.0, 0.0, kept == 0)]
    )
    return begun + [
        Epoch(member, e, e, v - 0.1, v, 1e-3, 1.5 * e, e == kept)
        for e, v in enumerate(losses, 1)
    ]


def trained(
    model: lc.LSTMForecaster, panel: Panel, epochs: list[Epoch], *notes: str
) -> lc.LSTMForecaster:
    """The forecaster as `fit` leaves it, with other weights than it started from."""
    config, start = model.config, model.start.network
    if start is not None:
        members = [
            {name: array + 0.001 for name, array in arrays.items()}
            for arrays in start.members
        ]
    else:
        shapes = array_shapes(config, head_named(config.head))
        members = [
            {name: np.full(shape, 0.01, np.float32) for name, shape in shapes.items()}
        ]
    initial_weights = model.start.initial_weights
    model.fitted = Fitted(
        Network(config, members),
        factors_HI=np.ones((6, 3)),
        record=record(panel, epochs, model.training, initial_weights, *notes),
    )
    return model


def record(
    panel: Panel,
    epochs: list[Epoch],
    training: TrainingConfig,
    initial: InitialWeights,
    *notes: str,
) -> Record:
    return Record(
        panel.ids, panel.ends, training, History(tuple(epochs)), initial, notes
    )


def new_network(*transforms, **more) -> lc.LSTMForecaster:
    inputs = Transformed(*transforms)
    network = NetworkConfig(layers=(5, 4), inputs=inputs, head="point", horizon=6)
    return lc.LSTMForecaster(6, weights="scratch", network=network, **more)


def page_of(model, panel: Panel) -> Elements:
    forecast = LastSeason().predict(panel)
    return Elements(
        Report.from_forecast(
            forecast, panel, model=model, made_on=date(2026, 1, 2)
        ).html()
    )


def test_nothing_is_said_of_training_where_nothing_was_trained():
    for model in (LastSeason(), lc.LSTMForecaster(6), new_network()):
        page = page_of(model, monthly())
        assert not {"Training", "loss by epoch", "Linear"} & set(page.said)
        assert page.data["learning"] is None
        assert not [
            a
            for _, a in page.elements
            if a.get("id") in ("learning", "log", "straight")
        ]


def test_training_is_told_with_its_curve_its_data_and_its_settings():
    panel = monthly(3)
    training = TrainingConfig(epochs=7, validation=Validation(share=0.25))
    model = trained(
        lc.LSTMForecaster(6, training=training),
        panel,
        rows() + rows(1, 3, 0.7, (0.6, 0.5, 0.2)),
    )
    page = page_of(model, panel)
    for words in (
        "Training Trained on 3 series, until 2019-12-01",
        "Held back the last 25% of each series",
        "Started from the network that comes with lstmcast",
        "1 3 2 0.4000 0.6100 4.5",
        "2 3 3 0.2000 0.7000 4.5",
        "member epochs epoch kept its loss loss at the start seconds",
        '"epochs": 7,',
        '"share": 0.25',
        "slightly too low",
    ):
        assert words in page.text, words
    assert '"betas": [0.9, 0.999],' in page.text
    learning = page.data["learning"]
    assert learning["members"][1]["validation"] == [0.6, 0.5, 0.2]
    assert learning["labels"]["kept"] == "kept: epoch 2–3, mean 0.3000"
    assert [a["id"] for tag, a in page.elements if tag == "button"] == [
        "recent",
        "all",
        "straight",
        "log",
    ]


def test_one_member_without_a_start_needs_no_such_columns():
    panel = monthly()
    page = page_of(trained(new_network(), panel, rows(start=None)), panel)
    assert "epochs epoch kept its loss seconds 3 2 0.4000 4.5" in page.text
    assert "loss at the start" not in page.text


def test_notes_of_the_training_mean_themselves():
    panel = monthly()
    page = page_of(
        trained(new_network(), panel, rows(), "left out: 1 series", NASTY), panel
    )
    assert "left out: 1 series" in page.said and NASTY in page.said
    assert "Notes" not in page_of(trained(new_network(), panel, rows()), panel).said


def test_without_a_held_back_part_it_is_said():
    panel = monthly()
    blind = [row._replace(validation_loss=np.nan) for row in rows(kept=3, start=None)]
    page = page_of(
        trained(new_network(training=TrainingConfig(validation=None)), panel, blind),
        panel,
    )
    assert "Held back nothing" in page.text
    assert (
        "no validation data to select the best epoch" in page.text
        and "too low" not in page.text
    )


def test_losses_that_fall_far_begin_logarithmic_and_negative_ones_cannot():
    panel = monthly()
    far = page_of(
        trained(new_network(), panel, rows(losses=(90.0, 1.0, 2.0))), panel
    ).data["learning"]
    assert far["begins_log"] is True and far["log"] is True
    page = page_of(trained(new_network(), panel, rows(losses=(9.0, -1.0, 2.0))), panel)
    assert page.data["learning"]["begins_log"] is False
    assert "Logarithmic" not in page.said


def test_thousands_of_epochs_stay_a_page_that_opens():
    panel = monthly()
    long = rows(losses=np.linspace(2, 1, 60_000).tolist(), kept=59_999)
    assert (
        len(
            page_of(trained(new_network(), panel, long), panel).data["learning"][
                "members"
            ][0]["epochs"]
        )
        <= 20_001
    )


def test_the_card_of_a_fine_tuned_network_says_so_before_that_of_its_start():
    panel = monthly()
    model = trained(lc.LSTMForecaster(6), panel, rows())
    card = Report.from_forecast(LastSeason().predict(panel), panel, model=model).card
    assert "fine-tuned on 1 series, until 2019-12-01" in card
    assert "2 LSTM networks of 2 layers with 64 and 64 units each" in card
    assert card.index("with numbers measured before") < card.index(
        "# The shipped network"
    )


def test_the_card_of_a_network_from_scratch_has_nothing_of_the_shipped_one():
    panel = monthly()
    model = trained(new_network(Difference(12), Standard()), panel, rows(start=None))
    card = Report.from_forecast(LastSeason().predict(panel), panel, model=model).card
    numbers = sum(array.size for array in model.network.members[0].values())
    assert (
        f"An LSTM network of 2 layers with 5 and 4 units: {numbers:,} parameters"
        in card
    )
    assert "values after these transforms: difference, standard" in card
    assert "trained from random weights, only on 1 series" in card
    assert "shipped" not in card and "Synthetic" not in card


def test_a_start_that_was_kept_is_still_the_shipped_network():
    panel = monthly()
    model = trained(lc.LSTMForecaster(6), panel, rows(kept=0))
    shipped = [dict(arrays) for arrays in lc.LSTMForecaster(6).network.members]
    model.fitted = replace(model.fitted, network=Network(model.config, shipped))
    report = Report.from_forecast(LastSeason().predict(panel), panel, model=model)
    assert report.card.startswith("# The shipped network")
    assert "kept: epoch 0, 0.6100" in report.html()


@pytest.mark.parametrize(
    ("initial_weights", "said"),
    [
        ("scratch", "The network was trained from random weights"),
        ("pretrained", "The network that comes with lstmcast was fine-tuned"),
        ("given", "Weights from another training"),
    ],
)
def test_a_model_remembers_what_its_training_started_from(initial_weights, said):
    panel = monthly()
    loaded = lc.LSTMForecaster(6, weights=trained(new_network(), panel, rows()).network)
    done = record(panel, rows(), loaded.training, initial_weights)
    loaded.fitted = Fitted(loaded.network, record=done)
    assert (
        said
        in Report.from_forecast(LastSeason().predict(panel), panel, model=loaded).card
    )


def test_given_weights_are_described_and_not_explained():
    network = trained(new_network(), monthly(), rows()).network
    card = cards.card_of(lc.LSTMForecaster(6, weights=network))
    assert (
        "Unknown: the weights were given." in card
        and "An LSTM network of 2 layers" in card
    )


def test_a_saved_and_loaded_shipped_network_keeps_its_card(tmp_path):
    lc.LSTMForecaster(6).save(tmp_path / "m", monthly())
    assert cards.card_of(lc.load(tmp_path / "m")).startswith("# The shipped network")


# ---------------------------------------------------------------- nothing from outside


def test_names_from_the_data_mean_themselves():
    nasty = monthly(2, names=NASTY + "{}")
    panel = replace(
        nasty, columns=Columns(target=NASTY), report=replace(nasty.report, source=NASTY)
    )
    model = LastSeason()
    model.name = NASTY
    tested = lc.backtest(model, panel, cutoffs=2)
    page = Report.from_forecast(
        model.predict(panel), panel, tested, model=model, made_by=f"lstmcast '{NASTY}'"
    ).html()
    parsed = Elements(page)
    assert not [tag for tag, _ in parsed.elements if tag == "img"]
    assert not [
        attributes
        for _, attributes in parsed.elements
        if any(name.startswith("on") for name in attributes)
    ]
    assert len(parsed.scripts) == 3
    assert NASTY not in page
    assert parsed.data["panes"][0]["name"] == NASTY + "0"
    assert parsed.data["steps"]["models"][0]["name"] == NASTY
    assert parsed.text.count("onerror=document.title") >= 7


def test_odd_letters_do_not_break_the_file(tmp_path):
    panel = monthly(2, names="\ud800 \u2028\u0000 $name ${{x}} 東京 {}")
    saved = report_of(panel).save(tmp_path / "r.html").read_text(encoding="utf-8")
    assert "$name ${x} 東京 1" in Elements(saved).data["panes"][1]["name"]


def test_the_page_asks_for_nothing_from_outside():
    page = report_of(monthly()).html()
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"https?:|@import|url\(|<link", outside)
    policy = next(
        a["content"] for tag, a in Elements(page).elements if a.get("http-equiv")
    )
    assert policy.startswith("default-src 'none'")
    assert "connect-src" not in policy
    assert not [
        a
        for tag, a in Elements(page).elements
        if tag in ("script", "img", "iframe") and "src" in a
    ]


def test_no_button_sends_the_data_away():
    own = Elements(report_of(monthly()).html()).scripts[2]
    assert 'modeBarButtons: [["toImage"]' in own
    assert 'plotlyServerURL: ""' in own


# ---------------------------------------------------------------- components, scenarios


def test_a_series_is_taken_apart_below_its_forecast():
    charts = Elements(report_of(monthly(6, names="a{}")).html()).data["components"]
    assert len(charts) == 4  # of six series that have a chart
    assert [part["name"] for part in charts[0]["parts"]] == [
        "level",
        "season of one year",
        "remainder",
    ]
    assert {len(part["values"]) for part in charts[0]["parts"]} == {charts[0]["count"]}


def test_a_series_without_a_season_is_not_taken_apart():
    panel = Panel.from_arrays({"y": [3.0, 1.0, 4.0, 1.0, 5.0, 9.0]})
    page = Elements(Report.from_forecast(LastSeason().predict(panel), panel).html())
    assert page.data["components"] is None
    assert "What it is made of" not in page.text


def test_scenarios_are_side_by_side():
    rng = np.random.default_rng(0)
    sale = (rng.random(114) < 0.3) * 1.0
    sold = 50 * np.exp(0.5 * sale[:100] + rng.normal(0, 0.05, 100))
    plans = {"usual": np.zeros(14), "sale": np.ones(14)}
    panels = {
        name: Panel.from_arrays(
            sold,
            frequency="D",
            start="2024-01-01",
            future={"sale": np.r_[sale[:100], plan]},
        )
        for name, plan in plans.items()
    }
    told = lc.compare_scenarios(lc.LSTMForecaster(horizon=14), panels)
    first = told.forecasts["usual"]
    page = Elements(Report.from_forecast(first, panels["usual"], scenarios=told).html())
    drawn = page.data["scenarios"]
    np.testing.assert_allclose(drawn["points"]["usual"][0], first.point[0], rtol=1e-5)
    middle, lower, upper = np.array(drawn["apart"]["sale"][0])
    assert (lower < middle).all() and (middle < upper).all() and (middle > 10).all()
    assert "sale less usual" in page.text
    parts = [part["name"] for part in page.data["components"][0]["parts"]]
    assert "effect of sale" in parts


# ---------------------------------------------------------------- size, and the file


def test_thousands_of_series_stay_a_page_that_opens():
    page = report_of(monthly(3_000, 40), cutoffs=1).html()
    data = Elements(page).data
    assert len(data["panes"]) == report.MOST_CHARTS
    assert "The first 200 of 3,000 series." in page
    assert "Charts: the first 24 of 3,000 series." in page
    assert len(page.encode()) < 1_500_000


def test_long_histories_are_cut_and_it_is_said():
    panel = Panel.from_arrays(
        np.arange(60_000.0) % 24, frequency="h", start="2015-01-01"
    )
    page = report_of(panel, cutoffs=0).html()
    assert len(Elements(page).data["panes"][0]["values"]) == 9_000
    assert "the newest 9,000 values are shown" in page
    assert len(page.encode()) < 1_500_000
    assert 0 < Elements(page).data["panes"][0]["recent"] < 1_000


def test_the_same_report_gives_the_same_bytes():
    assert report_of(monthly(2)).html() == report_of(monthly(2)).html()


def test_the_file_is_whole_or_absent(tmp_path, monkeypatch):
    made = report_of(monthly(), cutoffs=0)
    with pytest.raises(OutputError, match=r"ends in \.html"):
        made.save(tmp_path / "r.pdf")
    with pytest.raises(OutputError, match="folder does not exist"):
        made.save(tmp_path / "no" / "r.html")
    (tmp_path / "r.html").write_text("old")
    monkeypatch.setattr(
        Path, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError(28, "full"))
    )
    with pytest.raises(OutputError, match="disk is full"):
        made.save(tmp_path / "r.html")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [
        ("r.html", "old")
    ]


# ---------------------------------------------------------------- the command


def test_the_command_writes_the_page_and_shows_itself(tmp_path):
    place = tmp_path / "my report.html"
    done = here("forecast", AIRLINE, "-H", 12, "--report", place)
    assert done.status == 0, done.err
    assert f"written: {place}" in done.err
    text = Elements(place.read_text(encoding="utf-8")).text
    assert f"lstmcast forecast {AIRLINE} -H 12 --report '{place}'" in text
    assert "better than seasonal naive by" in text
    assert "Training data." in text
    assert "3 lines are not data" in text


def test_a_wrong_ending_is_refused_before_the_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        jobs.Source, "read", lambda *_: pytest.fail("the data were read")
    )
    with pytest.raises(SystemExit) as ended:
        cli.main(
            ["forecast", str(AIRLINE), "-H", "3", "--report", str(tmp_path / "r.pdf")]
        )
    assert ended.value.code == 1
    assert "ends in .html" in capsys.readouterr().err


def test_the_data_are_not_overwritten(tmp_path):
    data = tmp_path / "data.html"
    data.write_bytes(AIRLINE.read_bytes())
    done = here("forecast", data, "-H", 3, "--report", data)
    assert done.status == 2
    assert "would be overwritten" in done.err
    assert data.read_bytes() == AIRLINE.read_bytes()


# ---------------------------------------------------------------- the card's Markdown


def test_markdown_becomes_the_html_that_cards_need():
    source = (
        "# A\n\nSome **bold**,\n`code <b>`.\n\n"
        "| a | b |\n|---|--:|\n| x | 1 |\n\n- one\n  more\n- two\n"
    )
    assert html.markdown(source).split("\n") == [
        "<h3>A</h3>",
        "<p>Some <b>bold</b>, <code>code &lt;b&gt;</code>.</p>",
        '<div class="wide"><table><thead><tr><th scope="col">a</th><th '
        'scope="col">b</th></tr></thead><tbody>',
        '<tr><th scope="row">x</th><td>1</td></tr>',
        "</tbody></table></div>",
        "<ul><li>one more</li><li>two</li></ul>",
    ]


def test_nothing_of_the_shipped_card_stays_markdown():
    page = html.markdown((beginning.WEIGHTS / "CARD.md").read_text(encoding="utf-8"))
    assert not re.search(r"\*\*|`|^\||^#|^- ", page, re.MULTILINE)


# ---------------------------------------------------------------- in a browser


def browse(page: Path, tmp_path: Path, width: int) -> tuple[str, str]:
    """The page after its scripts ran, and what they said in the console."""
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={tmp_path / f'profile{width}'}",
            f"--window-size={width},2000",
            "--enable-logging=stderr",
            "--virtual-time-budget=5000",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout, "\n".join(
        line for line in done.stderr.splitlines() if "CONSOLE" in line
    )


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here to open the page in")
@pytest.mark.parametrize("width", [1280, 500])
def test_a_browser_draws_it_and_has_no_complaint(tmp_path, width):
    panel = monthly(2, names=NASTY + "{}")
    panel = replace(panel, columns=Columns(target=NASTY))
    tested, model = (
        lc.backtest(LastSeason(), panel, cutoffs=3),
        trained(new_network(), panel, rows(), NASTY),
    )
    forecast = LastSeason().predict(panel)
    place = Report.from_forecast(forecast, panel, tested, model=model).save(
        tmp_path / "r.html"
    )
    drawn, said = browse(place, tmp_path, width)
    assert said == ""
    assert "<title>broken</title>" not in drawn
    assert drawn.count('class="main-svg"') >= 3
    assert "kept: epoch 2, 0.4000</text>" in drawn
    # the table of numbers is filled by the page's own script
    assert "2020-06-01</th>" in drawn
    assert not re.search(r"<img[^>]+onerror", drawn)
