"""The tables of docs/examples.md, and of the pages about single articles."""

from __future__ import annotations

from typing import Any

from tables import (
    Results,
    Row,
    cell,
    measured,
    number,
    rows_of,
    significant,
    table,
    text,
)

# of each run so many are shown, and those of its speed
MEASURES, SPEED = 3, "ticks per second"


def articles(results: Results) -> str:
    """How the examples were measured, and what was found."""
    return f"{results['articles']['protocol']}\n\n{examples(results)}"


def examples(results: Results) -> str:
    """A line for the first measures of each run: our defaults and the article's own way one
    after the other."""
    columns = {
        "example": ("example", str),
        "mode": ("run", str),
        "measure": ("measure", str),
        "value": ("value", significant),
        "range": ("lowest … highest", cell),
        "goal": ("at most", cell),
        "seconds": ("seconds", text(1)),
    }
    shown: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows_of(results, "articles"):
        first = shown.setdefault((row["example"], row["mode"]), [])
        if len(first) < MEASURES or row["measure"].startswith(SPEED):
            first.append(row | {"range": range_of(row), "goal": _goal(row)})
    rows = [row for first in shown.values() for row in first]
    return f"{table(rows, columns)}\n\n{measured(results['articles'])}"


def _goal(row: Row) -> str:
    """What was aimed at: an error, seconds, or both."""
    value, limit = row.get("goal"), row.get("goal_seconds")
    return ", ".join(
        [*([significant(value)] if value else []), *([f"{limit:g} s"] if limit else [])]
    )


def beats(results: Results) -> str:
    """What came of one whole run of `lstmcast example beats --faithful`."""
    rows = rows_of(results, "articles")
    found = {
        row["measure"]: row
        for row in rows
        if (row["example"], row["mode"]) == ("beats", "faithful")
    }
    stopped, best = found.pop("epochs trained"), found.pop("best epoch")
    shown = [
        {"what": "stopped after epoch", "value": number(stopped["value"], 0)},
        {
            "what": "epoch that was kept (lowest validation loss)",
            "value": number(best["value"], 0),
        },
        {"what": "training", "value": f"{stopped['seconds'] / 60:,.0f} min"},
        *(
            {"what": measure, "value": significant(row["value"])}
            for measure, row in found.items()
        ),
    ]
    training = table(shown, {"what": ("", str), "value": ("value", cell)})
    return f"{training}\n\n{measured(results['articles'])}"


def airline_article(results: Results) -> str:
    """All measures of the example airline, both ways."""
    return _all_of("airline", results)


def temperature_article(results: Results) -> str:
    """All measures of the example temperature, both ways."""
    return _all_of("temperature", results)


def _all_of(example: str, results: Results) -> str:
    rows = [
        row | {"range": range_of(row), "seeds": row.get("seeds", 1)}
        for row in rows_of(results, "articles")
        if row["example"] == example
    ]
    columns = {
        "mode": ("run", str),
        "measure": ("measure", str),
        "value": ("median", significant),
        "range": ("lowest … highest", cell),
        "seeds": ("seeds", text(0)),
    }
    return f"{table(rows, columns)}\n\n{measured(results['articles'])}"


def range_of(row: Row) -> str:
    """Of the seeds."""
    return (
        f"{significant(row['low'])} … {significant(row['high'])}"
        if row.get("seeds", 1) > 1
        else ""
    )


def airline_loop(results: Results) -> str:
    """What the training of the article's network costs beside a bare loop."""
    columns = {"ours": ("lstmcast, s", text(2)), "bare": ("bare loop, s", text(2))}
    columns["ratio"] = ("ratio", text(2))
    rows = rows_of(results, "airline_loop")
    return f"{table(rows, columns)}\n\n{measured(results['airline_loop'])}"


def temperature_starts(results: Results) -> str:
    """Kernels of zeros, of ones, and as Keras draws them."""
    rows = [
        row | {"range": range_of(row), "works": f"{row['works']} / {row['seeds']}"}
        for row in results["temperature"]["starts"]
    ]
    columns: dict[str, Any] = {
        "days": ("days", text(0)),
        "start": ("starting kernel", str),
        "rmse": ("RMSE", significant),
        "range": ("lowest … highest", cell),
        "naive": ("last known value", significant),
        "works": ("runs better than that", cell),
        "epochs": ("epochs", text(0)),
    }
    return f"{table(rows, columns)}\n\n{measured(results['temperature'])}"


def temperature_jena(results: Results) -> str:
    """Real 10-minute data, with our defaults and as in the course."""
    rows = [
        row | {"range": range_of(row), "skill": f"{number(100 * row['skill'], 1)}%"}
        for row in results["temperature"]["jena"]
    ]
    columns: dict[str, Any] = {
        "mode": ("run", str),
        "rmse": ("RMSE", significant),
        "range": ("lowest … highest", cell),
        "naive": ("last known value", significant),
        "skill": ("below it by", cell),
    }
    return f"{table(rows, columns)}\n\n{measured(results['temperature'])}"


ARTICLES = {
    "airline-article": airline_article,
    "airline-loop": airline_loop,
    "temperature-article": temperature_article,
    "temperature-starts": temperature_starts,
    "temperature-jena": temperature_jena,
}
