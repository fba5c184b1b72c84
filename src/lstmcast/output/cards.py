"""The parts of a report about the network: its card and its training. Both describe the weights
that made the forecast."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.data.table import format_time
from lstmcast.forecaster import LSTMForecaster
from lstmcast.model.network import Network
from lstmcast.output.learning_curve import LearningCurve
from lstmcast.pretrained import WEIGHTS, same_weights, shipped
from lstmcast.training_config import Validation, to_json
from lstmcast.util.html import escape, facts, page_table
from lstmcast.util.language import ENGLISH, Words
from lstmcast.util.text import number_format

if TYPE_CHECKING:
    from lstmcast.output.learning_curve import Curve
    from lstmcast.training_record import Record

MOST_EPOCHS = 20_000  # epochs that the chart draws, of all members together

_HEADS = {
    "quantiles": "seven quantiles",
    "normal": "a Normal distribution",
    "student_t": "a Student-t distribution",
    "negative_binomial": "counts of a negative binomial distribution",
    "zero_inflated": "counts of a zero-inflated negative binomial distribution",
    "tweedie": "amounts of a Tweedie distribution",
    "point": "one number, without intervals of its own",
}


# ---------------------------------------------------------------- the card


def card_of(model: Any) -> str:
    """The network's card in Markdown; empty for a model without a network."""
    if not isinstance(model, LSTMForecaster) or model.network is None:
        return ""
    if same_weights(model.network, shipped()):
        return _shipped_card()
    training_data = f"**Training data.** {_training_data(model)}"
    architecture = f"**Architecture.** {_architecture(model.network, model)}"
    card = f"# The network of this forecast\n\n{architecture}\n\n{training_data}"
    start = model.start.network
    if model.record and start is not None and same_weights(start, shipped()):
        warning = (
            "Below is the model card of that network, with numbers measured before further "
            "training."
        )
        return f"{card} {warning}\n\n{_shipped_card()}"
    return card


def _shipped_card() -> str:
    return (Path(WEIGHTS) / "CARD.md").read_text(encoding="utf-8")


def _architecture(network: Network, model: LSTMForecaster) -> str:
    config = network.config
    members = len(network.members)
    numbers = sum(array.size for arrays in network.members for array in arrays.values())
    units = (
        " and ".join(map(str, config.layers))
        if len(config.layers) < 3
        else ", ".join(map(str, config.layers))
    )
    layers = (
        f"{len(config.layers)} layers with {units} units"
        if len(config.layers) > 1
        else f"1 layer with {units} units"
    )
    count = (
        f"{members} LSTM networks of {layers} each, whose outputs are averaged"
        if members > 1
        else f"An LSTM network of {layers}"
    )
    steps = (
        "the next step"
        if config.steps == 1
        else f"each of the next {config.steps:,} steps"
    )
    head = _HEADS.get(config.head, f"its own head, {config.head!r}")
    longer = "" if config.inputs.past else "; longer horizons are forecast recursively"
    return (
        f"{count}: {numbers:,} parameters. "
        f"It reads {_reads(model)} and forecasts {steps} with {head}{longer}."
    )


def _reads(model: LSTMForecaster) -> str:
    if model.config.inputs.from_context:
        return (
            "each series in order, every value beside the level, scale and season "
            "known until then,"
        )
    names = dict.fromkeys(
        step.name for chain in model.transforms.chains for step in chain.steps
    )
    values = (
        f"values after these transforms: {', '.join(names)},"
        if names
        else "the values as they are"
    )
    together = (
        f", {model.config.inputs.columns} series together,"
        if model.config.inputs.columns > 1
        else ""
    )
    past = model.config.inputs.past
    past_columns = (
        f" beside the column{'s' * (len(past) > 1)} {', '.join(past)}," if past else ""
    )
    return values + together + past_columns


def _training_data(model: LSTMForecaster) -> str:
    if model.record is None:
        return "Unknown: the weights were given."
    data = _trained_on(model.record)
    texts = {
        "scratch": f"The network was trained from random weights, only on {data}.",
        "pretrained": f"The network that comes with lstmcast was fine-tuned on {data}.",
        "given": f"Weights from another training were trained further on {data}.",
    }
    return f"{texts[model.record.initial_weights]} This page describes the training."


# ---------------------------------------------------------------- the training


@dataclass(frozen=True, eq=False)
class TrainingRecord:
    """How a model was trained: its learning curve, data, settings and notes."""

    curve: LearningCurve
    facts: dict[str, str]
    seconds: tuple[float, ...]  # training time of each member
    settings: dict[str, Any]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, model: Any) -> TrainingRecord | None:
        """The record of a fitted model; None if nothing was trained."""
        if not isinstance(model, LSTMForecaster) or not len(model.history):
            return None
        record = model.record
        assert record is not None  # a model with a history has a record
        settings: dict[str, Any] = {
            "training": to_json(record.training),
            "network": model.config.described(),
        }
        if model.transforms.chains:
            settings["transforms"] = model.transforms.described()
        descriptions = {
            "Trained on": _trained_on(record),
            "Held back": _held_back(record.training.validation, model.horizon),
            "Started from": _STARTS[record.initial_weights],
        }
        curve = LearningCurve.from_history(record.history)
        seconds = tuple(
            max(
                epoch.seconds
                for epoch in record.history.member(member_curve.member).epochs
            )
            for member_curve in curve.curves
        )
        return cls(curve, descriptions, seconds, settings, record.notes)

    def html(self, words: Words = ENGLISH) -> str:
        """The section of a page; its chart is drawn from `chart()`."""
        is_many = len(self.curve.curves) > 1
        header, rows = _epochs_table(self.curve.curves, self.seconds)
        header = [words(name) for name in header]
        if not is_many:
            header = header[1:]
            rows = [row[1:] for row in rows]
        notes = "".join(f"<li>{escape(words(note))}</li>" for note in self.notes)
        settings = re.sub(
            r"\[\s+([^][{}]*?)\s+\]", _on_one_line, json.dumps(self.settings, indent=2)
        )
        tools = _tools(words) if self.curve.is_positive else ""
        entries = {words(name): words(value) for name, value in self.facts.items()}
        note_list = f"<h3>{words('Notes')}</h3><ul>{notes}</ul>" if notes else ""
        return (
            f"<section><h2>{words('Training')}</h2>{facts(entries)}{tools}"
            f'<div id="learning" class="chart low"></div>{page_table(header, rows)}'
            f"<p class=note>{words(_note(self.curve))}</p>{note_list}"
            f"<details><summary>{words('Settings')}</summary><pre>{escape(settings)}</pre></details>"
            "</section>"
        )

    def chart(self, words: Words = ENGLISH) -> dict[str, Any]:
        """The data of the chart; its axis is logarithmic at first if the losses fall far."""
        labels = {name: words(text) for name, text in self.curve.labels.items()}
        curve = replace(self.curve.thinned(MOST_EPOCHS), labels=labels)
        logarithmic = self.curve.is_positive and self.curve.falls > 20
        return {**json.loads(curve.to_json()), "begins_log": logarithmic}


_STARTS = {
    "scratch": "new, random weights",
    "pretrained": "the network that comes with lstmcast",
    "given": "weights that were trained before",
}


def _tools(words: Words) -> str:
    return (
        f'<div class="tools even"><button id="straight" type="button">{words("Linear")}</button>'
        f'<button id="log" type="button">{words("Logarithmic")}</button></div>'
    )


def _on_one_line(match: re.Match[str]) -> str:
    return f"[{' '.join(match[1].split())}]"


def _trained_on(record: Record) -> str:
    first, newest = (
        format_time(time) for time in (record.ends.min(), record.ends.max())
    )
    until = (
        f"until {newest}"
        if first == newest
        else f"until dates between {first} and {newest}"
    )
    return f"{len(record.ids):,} series, {until}"


def _held_back(validation: Validation | None, horizon: int) -> str:
    """The data that selected the best epoch.

    >>> _held_back(Validation(share=0.3), 12), _held_back(Validation(steps=1), 12)
    ('the last 30% of each series', 'the last value of each series')
    """
    if validation is None:
        return "nothing"
    if validation.by == "windows":
        return f"a random {100 * (validation.share or 0):g}% of the windows"
    if validation.share is not None:
        return f"the last {100 * validation.share:g}% of each series"
    steps = validation.steps or horizon
    limit = "" if validation.steps else ", at most a quarter"
    return f"the last {f'{steps:,} values' if steps > 1 else 'value'} of each series{limit}"


def _epochs_table(
    curves: tuple[Curve, ...], seconds: tuple[float, ...]
) -> tuple[list[str], list[list[str]]]:
    """A table with a row for each member: training time, selected epoch, losses."""
    write = number_format(
        np.array([[curve.start, curve.loss] for curve in curves]).ravel()
    )
    header = [
        "member",
        "epochs",
        "epoch kept",
        "its loss",
        "loss at the start",
        "seconds",
    ]
    rows = []
    for number, (curve, spent) in enumerate(zip(curves, seconds, strict=True), 1):
        epochs = f"{curve.epochs.max(initial=0):,}"
        epoch_kept = "–" if curve.kept is None else f"{curve.kept:,}"
        losses = [write(curve.loss), write(curve.start)]
        rows.append([f"{number}", epochs, epoch_kept, *losses, f"{spent:,.1f}"])
    if not any(np.isfinite(curve.start) for curve in curves):
        header = header[:4] + header[5:]
        rows = [row[:4] + row[5:] for row in rows]
    return header, rows


def _note(curve: LearningCurve) -> str:
    held_back = any(
        np.isfinite(member_curve.validation).any() or np.isfinite(member_curve.start)
        for member_curve in curve.curves
    )
    return (
        "Loss: the quantity that training minimises, here on the validation data. These selected "
        "the epoch, so errors on them are slightly too low."
        if held_back
        else "Loss: the quantity that training minimises. There were no validation data to select "
        "the best epoch, so the last one is kept."
    )
