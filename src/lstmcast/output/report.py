"""A report to share: data, forecast, accuracy and how it was made, in one HTML file that works
offline.

The page draws the data of the plots and the backtest, which are computed once. Its text is made
here, as `parts`; its style is in `report.css` and its charts are in `charts.js`, which the server's
page uses as well. They are drawn by the basic bundle of plotly (npm package
plotly.js-basic-dist-min), which is stored beside them: all of plotly would make each page five
times as large. `words` is the page's language: texts in double braces in `report.html`, and
arguments of `say` in scripts, are looked up in its catalogue.
"""

# O origins · H horizon

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from lstmcast.errors import UsageError
from lstmcast.output.cards import TrainingRecord, card_of
from lstmcast.output.plots import ForecastPlot
from lstmcast.output.report_charts import (
    MOST_VALUES,
    component_charts,
    forecast_charts,
    scenario_charts,
    step_chart,
)
from lstmcast.output.report_sections import (
    card_section,
    chart_notes,
    components_section,
    data_section,
    findings_section,
    made_section,
    series_picker,
    subtitle_of,
    tiles_section,
    verdict_line,
)
from lstmcast.output.report_tables import (
    accuracy_section,
    scenarios_section,
    series_section,
    totals_section,
)
from lstmcast.util.files import check_output, whole_file
from lstmcast.util.html import escape, script_data
from lstmcast.util.language import Words, words_of
from lstmcast.util.patterns import pattern_of

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.evaluation.summary import Summary
    from lstmcast.forecast import Forecast
    from lstmcast.scenarios import Scenarios
    from lstmcast.totals import Totals


ENDINGS = (".html",)
MOST_CHARTS = 24  # series with a chart
HERE = Path(__file__).parent
PLOTLY = "plotly-basic.min.js.gz"
MADE_BY = "lstmcast.Report.from_forecast(…) in Python"


@dataclass(frozen=True, eq=False)
class Report:
    """A report of a forecast: its data, its accuracy, and how it was made.

    `backtest` is None if accuracy was not measured; `card` is the model card of the network in
    Markdown, or empty; `training` is None if nothing was trained.

    >>> import numpy as np, lstmcast as lc
    >>> panel = lc.Panel.from_arrays(10 + np.arange(48) % 12, frequency="MS", start="2020-01")
    >>> model = lc.LSTMForecaster(horizon=3)
    >>> forecast, backtest = model.predict(panel), lc.backtest(model, panel)
    >>> report = lc.Report.from_forecast(forecast, panel, backtest, model=model)
    >>> report.title
    'y: 3 months ahead'
    """

    forecast: Forecast
    panel: Panel
    plot: ForecastPlot  # the series with a chart, and their history
    backtest: Backtest | None
    card: str
    training: TrainingRecord | None
    made_by: str
    made_on: date
    language: str = "en"
    totals: Totals | None = None
    scenarios: Scenarios | None = None

    def __repr__(self) -> str:
        return f"Report({self.plot!r})"

    @classmethod
    def from_forecast(
        cls,
        forecast: Forecast,
        panel: Panel,
        backtest: Backtest | None = None,
        *,
        model: Any = None,
        made_by: str = MADE_BY,
        made_on: date | None = None,
        language: str = "en",
        totals: Totals | None = None,
        scenarios: Scenarios | None = None,
        series: Sequence[str] | None = None,
        unit: str | None = None,
    ) -> Report:
        """Make the report of a forecast of a panel.

        `model`: the forecaster, whose network and training are described. `made_by`: the command or
        call to show. `made_on`: date, by default today. `language`: "en" or "ja". `totals`: sums of
        the forecast, shown as a table. `scenarios`: scenarios to compare, of which the first is
        this forecast. `series`: ids to plot, in this order; `unit`: unit of the values, for the
        axis. Raises UsageError if forecast and panel have no series in common, or a series in
        `series` is missing.
        """
        words_of(language)
        shared = len(set(forecast.ids) & set(panel.ids))
        if not shared:
            raise UsageError(
                "The forecast has no series of this panel. Give the panel that was forecast."
            )
        wanted_series = len(set(series)) if series else shared
        charts = min(wanted_series, MOST_CHARTS)
        looks = {"series": series or None, "unit": unit}
        size = {"most": charts, "longest": MOST_VALUES // charts}
        plot = ForecastPlot.from_forecast(forecast, panel, backtest, **size, **looks)
        model_parts = card_of(model), TrainingRecord.of(model)
        origin_notes = (made_by, made_on or date.today(), language)
        return cls(
            forecast,
            panel,
            plot,
            backtest,
            *model_parts,
            *origin_notes,
            totals,
            scenarios,
        )

    @property
    def title(self) -> str:
        """The title of the report."""
        return f"{self.plot.name}: {self.words(f'{self.plot.reach} ahead')}"

    @property
    def words(self) -> Words:
        """The language of the page."""
        return words_of(self.language)

    def parts(self) -> dict[str, str]:
        """The parts of the page by name, as HTML."""
        summary = self._summary
        words = self.words
        table_inputs = self.forecast, self.panel, self.backtest, self.plot.available
        notes = chart_notes(self.forecast, self.plot, self.panel)
        return {
            "title": escape(self.title),
            "name": escape(self.plot.name),
            "subtitle": escape(words(subtitle_of(self.forecast, self.plot))),
            "verdict": verdict_line(summary, words),
            "tiles": tiles_section(summary, words),
            "picker": series_picker(self.plot, words),
            "chart_note": escape(" ".join(map(words, notes))),
            "components": components_section(self._components, words),
            "series": scenarios_section(self.scenarios, words)
            + totals_section(self.totals, words)
            + series_section(*table_inputs, words),
            "accuracy": accuracy_section(summary, words),
            "training": self.training.html(words) if self.training else "",
            "data": data_section(self.panel, words),
            "findings": findings_section(self.panel.check(), words),
            "card": card_section(self.card, words),
            "made": made_section(self.made_by, self.made_on, words),
        }

    def charts(self) -> dict[str, Any]:
        """The data that `charts.js` draws."""
        return forecast_charts(self.plot) | {
            "steps": step_chart(self.backtest, self._summary, self.words),
            "learning": self.training.chart(self.words) if self.training else None,
            "components": self._components,
            "scenarios": scenario_charts(self.plot, self.scenarios),
        }

    def html(self) -> str:
        """The whole page as HTML."""
        page = (HERE / "report.html").read_text("utf-8")
        words = self.words
        drawing = (HERE / "charts.js").read_text("utf-8")
        chart_data = {**self.charts(), "words": script_words(page + drawing, words)}
        return Template(in_words(page, words)).substitute(
            self.parts(),
            language=self.language,
            style=(HERE / "report.css").read_text("utf-8"),
            drawing=drawing,
            charts=script_data(chart_data),
            plotly=gzip.decompress((HERE / PLOTLY).read_bytes()).decode("utf-8"),
        )

    @cached_property
    def _summary(self) -> Summary | None:
        return self.backtest.summary() if self.backtest is not None else None

    @cached_property
    def _components(self) -> list[dict[str, Any]] | None:
        return component_charts(self.plot, self.forecast, self.panel, self.words)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page as .html; OutputError if that fails, without a partial file."""
        path = check_output(path, ENDINGS)
        page = self.html().encode("utf-8", "replace")
        with whole_file(path) as temporary:
            temporary.write_bytes(page)
        return path


# Texts to translate: `{{The numbers}}` in a page, `say("history")` in its scripts.
_IN_BRACES = pattern_of(r"\{\{(.+?)\}\}")
_SAID = pattern_of(r'\bsay\("([^"]+)"')


def in_words(page: str, words: Words) -> str:
    """A page with the texts in double braces translated.

    >>> from lstmcast.util.language import words_of
    >>> in_words("<h2>{{Forecast}}</h2>", words_of("ja"))
    '<h2>予測</h2>'
    """
    return _IN_BRACES.sub(lambda match: escape(words(match[1])), page)


def script_words(scripts: str, words: Words) -> dict[str, str]:
    """The texts that scripts `say`, with their translations.

    >>> from lstmcast.util.language import ENGLISH
    >>> script_words('draw(say("history"))', ENGLISH)
    {'history': 'history'}
    """
    return {text: words(text) for text in _SAID.findall(scripts)}
