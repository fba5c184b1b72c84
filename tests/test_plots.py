"""Pictures: what they show is computed once; whatever the data, they are drawn without a
warning."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from lstmcast.data.origins import origins_of
from lstmcast.data.panel import Panel
from lstmcast.data.read import read
from lstmcast.errors import OutputError, UsageError
from lstmcast.evaluation.backtest import Backtest, backtest
from lstmcast.evaluation.baselines import SeasonalNaive
from lstmcast.forecast import QUANTILES, Forecast
from lstmcast.output.components import ComponentsPlot
from lstmcast.output.looks import tick_format
from lstmcast.output.plots import ForecastPlot
from lstmcast.util import fonts

PNG, PDF = b"\x89PNG\r\n\x1a\n", b"%PDF-"


def seasonal_copy(panel: Panel, horizon: int, cutoffs=None) -> Forecast:
    """The last season again, with bounds that widen: something to draw."""
    origins = origins_of(panel, cutoffs)
    season = panel.periods[0]
    point = np.array(
        [
            np.resize(panel.series(s)[:c][-season:], horizon)
            for s, c in zip(*origins, strict=True)
        ]
    )
    spread = (
        np.array([-2, -1.3, 0, 1.3, 2]) * np.sqrt(np.arange(1, horizon + 1))[:, None]
    )
    return Forecast.at_origins(
        panel, origins, point, point[:, :, None] + spread, QUANTILES
    )


def monthly(length: int = 144, count: int = 1) -> Panel:
    t = np.arange(length)
    values = {
        f"store {i}": 100 + t + 20 * np.sin(2 * np.pi * t / 12) + 50 * i
        for i in range(count)
    }
    return Panel.from_arrays(values, frequency="MS", start="2010-01")


def backtest_of(panel: Panel, horizon: int, counts: list[int]) -> Backtest:
    model = SeasonalNaive(horizon)
    return backtest(
        model, panel, cutoffs=np.tile(counts, (len(panel), 1)), baselines=False
    )


def drawn(plot: ForecastPlot) -> list:
    figure = plot.figure()
    figure.canvas.draw()
    return figure.axes


@pytest.mark.parametrize(
    ("ending", "start"),
    [(".png", PNG), (".svg", b"<?xml"), (".pdf", PDF), (".PNG", PNG)],
)
def test_saves_by_ending(tmp_path, ending, start):
    panel = monthly()
    path = tmp_path / f"f{ending}"
    ForecastPlot.from_forecast(seasonal_copy(panel, 12), panel).save(path)
    assert path.read_bytes().startswith(start)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_the_same_forecast_gives_the_same_bytes(tmp_path, ending):
    panel = monthly(60)
    for name in ("a", "b"):
        ForecastPlot.from_forecast(seasonal_copy(panel, 6), panel).save(
            tmp_path / f"{name}{ending}"
        )
    assert (tmp_path / f"a{ending}").read_bytes() == (
        tmp_path / f"b{ending}"
    ).read_bytes()


def test_other_endings_are_refused(tmp_path):
    panel = monthly()
    with pytest.raises(OutputError, match=r"ends in \.png or \.svg or \.pdf"):
        ForecastPlot.from_forecast(seasonal_copy(panel, 12), panel).save(
            tmp_path / "f.gif"
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options",
    [{"most": 0}, {"most": -1}, {"most": 1.5}, {"longest": 0}, {"longest": True}],
    ids=str,
)
def test_senseless_numbers_are_refused(options):
    panel, (name, given) = monthly(), *options.items()
    with pytest.raises(
        UsageError,
        match=rf"{name} must be a number of (series|values) of at least 1, got {given}",
    ):
        ForecastPlot.from_forecast(seasonal_copy(panel, 12), panel, **options)


def test_a_forecast_of_other_series_is_refused():
    with pytest.raises(UsageError, match="The forecast has no series of this panel"):
        ForecastPlot.from_forecast(
            seasonal_copy(monthly(), 12), Panel.from_arrays([1.0, 2.0, 3.0])
        )


def test_shows_the_last_seasons_and_all_of_the_forecast():
    panel = monthly()
    pane = ForecastPlot.from_forecast(seasonal_copy(panel, 12), panel).panes[0]
    assert len(pane.times) == len(pane.values) == 60
    assert pane.times[-1] == panel.ends[0]
    assert len(pane.future) == 12
    assert [band.level for band in pane.bands] == [95, 80]


def test_shows_a_short_history_whole():
    panel = monthly(70)
    assert (
        len(ForecastPlot.from_forecast(seasonal_copy(panel, 12), panel).panes[0].times)
        == 70
    )


def test_a_history_is_shown_back_to_the_held_out_forecasts():
    panel = monthly()
    plot = ForecastPlot.from_forecast(
        seasonal_copy(panel, 12), panel, backtest_of(panel, 12, [84, 96, 108, 120, 132])
    )
    pane = plot.panes[0]
    assert len(pane.held_out) == 5
    assert pane.times[0] <= min(line.times[0] for line in pane.held_out)


def test_overlapping_held_out_forecasts_are_thinned():
    panel = monthly()
    plot = ForecastPlot.from_forecast(
        seasonal_copy(panel, 12), panel, backtest_of(panel, 12, [126, 129, 132])
    )
    assert [line.times[0] for line in plot.panes[0].held_out] == [panel.times(0)[132]]


def test_a_backtest_without_cutoffs_is_drawn_without(tmp_path):
    panel = monthly(14)
    nothing = backtest(SeasonalNaive(12), panel)
    assert nothing.reason
    assert (
        ForecastPlot.from_forecast(seasonal_copy(panel, 12), panel, nothing)
        .panes[0]
        .held_out
        == ()
    )


def test_many_series_become_six_panes():
    panel = monthly(60, count=9)
    plot = ForecastPlot.from_forecast(seasonal_copy(panel, 12), panel)
    assert [pane.name for pane in plot.panes] == [f"store {i}" for i in range(6)]
    assert plot.title == "y: 12 months ahead (6 of 9 series)"
    assert [ax.get_title(loc="left") for ax in drawn(plot)] == [
        f"store {i}" for i in range(6)
    ]


def test_a_panel_of_which_one_series_is_forecast_is_titled_by_it():
    panel = monthly(60, count=3)
    plot = ForecastPlot.from_forecast(seasonal_copy(panel, 12).select("store 1"), panel)
    assert plot.title == "store 1: 12 months ahead"


def test_what_is_drawn_is_what_the_json_says():
    panel = monthly(60)
    plot = ForecastPlot.from_forecast(
        seasonal_copy(panel, 3), panel, backtest_of(panel, 3, [57])
    )
    said = json.loads(plot.to_json())["panes"][0]
    lines = {line.get_label(): line for line in drawn(plot)[0].get_lines()}
    assert list(lines["history"].get_ydata()) == said["values"]
    assert list(lines["forecast"].get_ydata()) == [said["values"][-1], *said["point"]]
    assert (
        list(lines["earlier forecasts, held out"].get_ydata())
        == said["held_out"][0]["point"]
    )
    assert said["future"] == ["2015-01-01", "2015-02-01", "2015-03-01"]


def test_the_axis_does_not_go_below_zero_where_nothing_does():
    panel = Panel.from_arrays(np.tile([0.0, 1.0, 500.0], 20))
    point = np.ones((1, 4))
    forecast = Forecast(
        panel.ids,
        panel.ends,
        np.array([[61, 62, 63, 64]]),
        point,
        np.empty((1, 4, 0)),
        (),
    )
    assert drawn(ForecastPlot.from_forecast(forecast, panel))[0].get_ylim()[0] == 0


@pytest.mark.parametrize(
    ("values", "frequency", "start", "horizon"),
    [
        ([3.0], "MS", "2020-01", 1),
        ([3.0, np.nan], "D", "2020-01-01", 3),
        ([np.nan, 3.0, np.nan, 4.0, np.nan], "integer", 1, 2),
        ([5.0] * 30, "h", "2020-03-29", 24),
        ([0.0] * 30, "YS", "1900", 300),
        (np.arange(90.0), "YS", "9850", 500),
        (np.arange(90.0) * 1e15, "s", "2020", 60),
        (np.arange(90.0) * -1e-9, "W-MON", "2020", 5),
        (np.arange(90.0) + 1e9, "15min", "2020", 96),
    ],
)
def test_anything_is_drawn(tmp_path, values, frequency, start, horizon):
    panel = Panel.from_arrays(values, frequency=frequency, start=start)
    ForecastPlot.from_forecast(seasonal_copy(panel, horizon), panel).save(
        tmp_path / "f.png"
    )
    assert (tmp_path / "f.png").stat().st_size > 5_000


@pytest.mark.parametrize(
    "name",
    [
        "旅客数",
        "$x^$ 100%",
        "a\nb\x00\x1b[31m",
        "ß" * 300,
        "مسافر",
        "👩‍🚀",
        "",
        "\ud800",
    ],
)
def test_any_name_is_drawn_without_boxes_and_warnings(tmp_path, name):
    values = np.arange(40.0)
    panel = Panel.from_arrays(
        {name: values, "b": values}, frequency="MS", start="2020-01"
    )
    plot = ForecastPlot.from_forecast(seasonal_copy(panel, 6), panel)
    plot.save(tmp_path / "f.png")
    plot.save(tmp_path / "f.svg")
    shown = drawn(plot)[0].get_title(loc="left")
    assert shown == "series 1" if plot.missing_letters() else len(shown) <= 60


def test_fonts_of_the_system_are_used_where_they_have_the_letters(monkeypatch):
    monkeypatch.setattr(
        fonts,
        "_covering",
        lambda families, letters: ([*families, "DejaVu Serif"], set()),
    )
    panel = monthly(40)
    assert (
        ForecastPlot.from_forecast(seasonal_copy(panel, 6), panel).missing_letters()
        == ""
    )


@pytest.mark.parametrize(
    ("ticks", "texts"),
    [
        ([0, 500, 1000], ["0", "500", "1,000"]),
        ([-4, 0, 4], ["−4", "0", "4"]),
        ([3.5e6, 3.75e6, 4e6], ["3.50 M", "3.75 M", "4.00 M"]),
        ([0, 0.25, 0.5], ["0.00", "0.25", "0.50"]),
        ([0, 1e-9, 2e-9], ["0", "1e−09", "2e−09"]),
        ([2e9, 4e9], ["2 bn", "4 bn"]),
    ],
)
def test_numbers_on_the_axis(ticks, texts):
    write = tick_format(np.array(ticks, float))
    assert [write(tick, 0) for tick in ticks] == texts


def test_a_font_that_was_removed_since_is_not_used(monkeypatch, tmp_path):
    from matplotlib.font_manager import FontEntry, fontManager

    gone = FontEntry(fname=str(tmp_path / "gone.ttf"), name="Noto Sans CJK JP")
    monkeypatch.setattr(fontManager, "ttflist", [*fontManager.ttflist, gone])
    monkeypatch.setattr(fonts, "_OTHER_FONTS", ("Noto Sans CJK JP",))
    with fonts.fonts_with({"年"}) as missing:
        assert missing == {"年"}


def test_draws_on_somebody_elses_axes():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    panel = monthly(60)
    assert ForecastPlot.from_forecast(seasonal_copy(panel, 12), panel).draw(ax) is ax
    assert ax.get_lines()


def test_a_wide_interval_does_not_rule_the_axis():
    panel = monthly(60)
    forecast = seasonal_copy(panel, 6)
    quantiles = forecast.quantiles.copy()
    quantiles[:, 3, 0], quantiles[:, 3, 4] = -4000.0, 5000.0
    wild = replace(forecast, quantiles=quantiles)
    (calm,), (ax,) = (
        drawn(ForecastPlot.from_forecast(one, panel)) for one in (forecast, wild)
    )
    calm_height, height = (np.ptp(one.get_ylim()) for one in (calm, ax))
    assert height < 1.8 * calm_height
    assert ax.get_ylim()[1] > forecast.quantile(0.9).max()


def test_what_is_known_ends_at_a_mark_and_the_unit_stands_at_the_axis():
    panel = monthly(60)
    plot = ForecastPlot.from_forecast(seasonal_copy(panel, 6), panel, unit="tons")
    (ax,) = drawn(plot)
    marks = [line for line in ax.get_lines() if line.get_linestyle() == ":"]
    assert (
        len(marks) == 1 and marks[0].get_xdata()[0] == ax.get_lines()[-1].get_xdata()[0]
    )
    assert ax.get_ylabel() == "tons" and json.loads(plot.to_json())["unit"] == "tons"
    several = monthly(60, 2)
    named = ForecastPlot.from_forecast(seasonal_copy(several, 6), several, most=1)
    assert named.unit == several.columns.target  # the title names the series


def test_chosen_series_come_in_their_order():
    panel = monthly(60, 4)
    forecast = seasonal_copy(panel, 6)
    plot = ForecastPlot.from_forecast(forecast, panel, series=["store 3", "store 1"])
    assert [pane.name for pane in plot.panes] == ["store 3", "store 1"]
    with pytest.raises(UsageError, match="no series 'store 9' to draw"):
        ForecastPlot.from_forecast(forecast, panel, series=["store 9"])


def test_many_series_are_on_pages(tmp_path):
    panel = monthly(60, 8)
    plot = ForecastPlot.from_forecast(seasonal_copy(panel, 6), panel, most=100)
    assert [len(page.panes) for page in plot.pages()] == [6, 2]
    first, again = (
        plot.save(tmp_path / name).read_bytes() for name in ("a.pdf", "b.pdf")
    )
    assert first == again and first.startswith(PDF) and b"/Count 2" in first


def test_dark_pictures_and_the_plot_of_a_forecast():
    panel = monthly(60)
    figure = seasonal_copy(panel, 6).plot(dark=True)
    assert figure.get_facecolor()[:3] == pytest.approx(
        (0x12 / 255, 0x17 / 255, 0x1C / 255)
    )
    light = seasonal_copy(panel, 6).plot(panel, unit="tons")
    assert light.axes[0].get_ylabel() == "tons"
    with pytest.raises(UsageError, match="holds no data"):
        replace(seasonal_copy(panel, 6), history=None).plot()


def test_components_add_up_and_find_the_season(tmp_path):
    rng = np.random.default_rng(0)
    steps = np.arange(120)
    season = 1 + 0.3 * np.sin(2 * np.pi * steps / 12)
    panel = Panel.from_arrays(
        (100 + steps) * season * np.exp(rng.normal(0, 0.01, 120)),
        frequency="MS",
        start="2010-01",
    )
    plot = ComponentsPlot.from_forecast(seasonal_copy(panel, 12), panel)
    level, yearly, rest = plot.parts
    assert [part.name for part in plot.parts] == [
        "level",
        "season of one year",
        "remainder",
    ]
    product = level.values * (1 + yearly.values / 100) * (1 + rest.values / 100)
    np.testing.assert_allclose(product, plot.values)
    assert (
        yearly.values.max() == pytest.approx(30, abs=3)
        and np.abs(rest.values[12:108]).max() < 6
    )
    assert plot.save(tmp_path / "c.png").read_bytes().startswith(PNG)
    negative = Panel.from_arrays(steps - 60.0, periods=(12,))
    parts = ComponentsPlot.from_forecast(seasonal_copy(negative, 3), negative).parts
    assert not any(part.percent for part in parts)
    with pytest.raises(UsageError, match="no series 'b' to take apart"):
        ComponentsPlot.from_forecast(seasonal_copy(panel, 12), panel, "b")


def test_components_of_missing_values_and_short_series():
    for values in ([3.0, np.nan, 5.0], [4.0], np.r_[np.full(30, np.nan), 5.0, 6.0]):
        panel = Panel.from_arrays(np.asarray(values, float), periods=(12,))
        plot = ComponentsPlot.from_forecast(SeasonalNaive(2).predict(panel), panel)
        plot.figure().canvas.draw()


def test_one_series_may_be_named_without_a_list():
    panel = Panel.from_arrays(
        {"milk": np.arange(36.0), "tea": np.arange(36.0)}, periods=(12,)
    )
    plot = ForecastPlot.from_forecast(seasonal_copy(panel, 12), panel, series="tea")
    assert [pane.name for pane in plot.panes] == ["tea"]


def spiked(value: float) -> ForecastPlot:
    """Four years of months, one of which was typed without its decimal mark."""
    values = 80 + 10 * np.sin(np.arange(48) * np.pi / 6)
    values[20] = value
    panel = Panel.from_arrays(values, periods=(12,))
    return ForecastPlot.from_forecast(seasonal_copy(panel, 12), panel)


def test_a_value_that_is_far_away_leaves_the_picture_with_an_arrow():
    figure = spiked(3_000_000.0).figure()
    assert figure.axes[0].get_ylim()[1] < 200
    assert [text.get_text() for text in figure.axes[0].texts] == ["▲ 3,000,000"]
    assert json.loads(spiked(3_000_000.0).to_json())["panes"][0]["usual"][1] < 100


def test_a_peak_and_sales_that_are_rare_stay_in_the_picture():
    assert spiked(140.0).panes[0].usual is None
    assert not spiked(140.0).figure().axes[0].texts
    seldom = np.zeros(60)
    seldom[[20, 50]] = 5.0
    panel = Panel.from_arrays(seldom, periods=(12,))
    plot = ForecastPlot.from_forecast(seasonal_copy(panel, 12), panel)
    assert plot.panes[0].usual is None


def test_days_on_which_a_shop_is_closed_are_no_gaps_of_its_line():
    days = np.arange("2024-01-01", "2024-06-01", dtype="datetime64[D]")
    days = days[(days.astype(int) + 3) % 7 != 6]
    panel = read({"day": days, "sold": 50.0 + np.arange(len(days)) % 6})
    assert panel.calendar is not None
    plot = ForecastPlot.from_forecast(SeasonalNaive(6).predict(panel, 12), panel)
    assert np.isfinite(plot.panes[0].values).all()
