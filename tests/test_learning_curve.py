"""Learning curves: what is kept and where it started is read from the history, and drawn in any
words."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lstmcast.errors import OutputError, UsageError
from lstmcast.output.learning_curve import LABELS, LearningCurve
from lstmcast.output.looks import AMBER
from lstmcast.training_history import Epoch, History
from lstmcast.util import fonts

JAPANESE = {
    "title": "学習曲線",
    "epoch": "エポック",
    "loss": "損失",
    "train": "学習",
    "validation": "検証",
}


def member(
    number: int,
    losses: list[float],
    kept: int,
    start: float | None = None,
    shift: float = 0.1,
) -> list[Epoch]:
    """A member with these validation losses; its training losses are lower by `shift`."""
    rows = (
        []
        if start is None
        else [Epoch(number, 0, 0, np.nan, start, 0.0, 0.0, kept == 0)]
    )
    for epoch, loss in enumerate(losses, 1):
        rows.append(
            Epoch(
                number,
                epoch,
                epoch,
                loss - shift,
                loss,
                1e-3,
                0.5 * epoch,
                epoch == kept,
            )
        )
    return rows


def history(*members: list[Epoch]) -> History:
    return History(tuple(row for rows in members for row in rows))


def unvalidated(losses: list[float]) -> History:
    rows = [
        row._replace(validation_loss=np.nan)
        for row in member(0, losses, kept=len(losses), shift=0.0)
    ]
    return history(rows)


TWO = history(
    member(0, [0.5, 0.4, 0.45], 2, start=0.6),
    member(1, [0.6, 0.5, 0.4, 0.3], 4, start=0.8),
)


def drawn(curve: LearningCurve, log: bool = False):
    figure = curve.figure(log)
    figure.canvas.draw()
    (legend,) = figure.legends
    return figure.axes[0], [entry.get_text() for entry in legend.get_texts()]


# ---------------------------------------------------------------- what is read from the history


def test_epoch_zero_is_the_start_and_no_epoch():
    curve = LearningCurve.from_history(TWO)
    first, second = curve.curves
    assert (first.start, second.start) == (0.6, 0.8)
    assert first.epochs.tolist() == [1, 2, 3] and second.validation.tolist() == [
        0.6,
        0.5,
        0.4,
        0.3,
    ]
    assert (first.kept, first.loss, second.kept, second.loss) == (2, 0.4, 4, 0.3)


def test_without_validation_the_kept_epoch_is_judged_by_its_training_loss():
    (curve,) = LearningCurve.from_history(unvalidated([3.0, 2.0])).curves
    assert (curve.kept, curve.loss) == (2, 2.0)
    assert np.isnan(curve.start) and np.isnan(curve.validation).all()


def test_a_start_that_is_kept_stands_at_epoch_zero():
    (curve,) = LearningCurve.from_history(
        history(member(0, [0.7], 0, start=0.6))
    ).curves
    assert (curve.kept, curve.loss) == (0, 0.6)


def test_without_epochs_there_is_nothing_to_draw():
    with pytest.raises(UsageError, match="nothing was trained"):
        LearningCurve.from_history(History())


def test_the_json_holds_what_is_drawn():
    made = json.loads(LearningCurve.from_history(TWO, {"kept": "behalten"}).to_json())
    assert made["members"][1] == {
        "member": 1,
        "epochs": [1, 2, 3, 4],
        "train": pytest.approx([0.5, 0.4, 0.3, 0.2]),
        "validation": [0.6, 0.5, 0.4, 0.3],
        "start": 0.8,
        "kept": 4,
        "loss": 0.3,
    }
    assert made["labels"]["start"] == "start: mean 0.7000"
    assert made["labels"]["kept"] == "behalten: epoch 2–4, mean 0.3500"
    assert made["log"] is True
    unknown = json.loads(LearningCurve.from_history(unvalidated([2.0, -1.0])).to_json())
    assert (
        unknown["members"][0]["validation"] == [None, None]
        and unknown["members"][0]["start"] is None
    )
    assert unknown["labels"]["start"] == "" and unknown["log"] is False


def test_long_runs_are_thinned_evenly_and_keep_the_kept_epoch():
    losses = np.linspace(2, 1, 10_000).tolist()
    curve = LearningCurve.from_history(
        history(member(0, losses, 5_003), member(1, [0.5], 1))
    ).thinned(200)
    long, short = curve.curves
    assert 100 <= len(long.epochs) <= 101 and {1, 5_003, 10_000} <= set(
        long.epochs.tolist()
    )
    assert long.validation.tolist() == [losses[epoch - 1] for epoch in long.epochs]
    assert np.diff(long.epochs).max() <= 102
    assert short.epochs.tolist() == [1]


# ---------------------------------------------------------------- the picture


def test_lines_marks_and_legend_of_one_member():
    ax, legend = drawn(
        LearningCurve.from_history(history(member(0, [0.5, 0.4, 0.45], 2, start=0.6)))
    )
    assert legend == [
        "training",
        "validation",
        "start: 0.6000",
        "kept: epoch 2, 0.4000",
    ]
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert lines["validation"].get_xydata().tolist() == [[1, 0.5], [2, 0.4], [3, 0.45]]
    assert set(np.ravel(lines["start: 0.6000"].get_ydata())) == {0.6}
    mark = lines["kept: epoch 2, 0.4000"]
    assert mark.get_xydata().tolist() == [[2, 0.4]] and mark.get_color() == AMBER
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == (
        "epoch",
        "loss",
        "linear",
    )


def test_members_share_a_legend_and_each_has_its_mark():
    ax, legend = drawn(LearningCurve.from_history(TWO))
    assert legend == [
        "training",
        "validation",
        "start: mean 0.7000",
        "kept: epoch 2–4, mean 0.3500",
    ]
    assert len(ax.get_lines()) == 2 + 2 + 2 + 1
    (mark,) = [line for line in ax.get_lines() if line.get_color() == AMBER]
    assert mark.get_xydata().tolist() == [[2, 0.4], [4, 0.3]]


def test_what_was_not_measured_is_not_in_the_legend():
    _, legend = drawn(LearningCurve.from_history(unvalidated([3.0, 2.0])))
    assert legend == ["training", "kept: epoch 2, 2.000"]


def test_a_logarithmic_axis_has_round_numbers():
    ax, _ = drawn(
        LearningCurve.from_history(unvalidated([300.0, 20.0, 2.0, 0.9])), log=True
    )
    assert ax.get_yscale() == "log"
    low, high = ax.get_ylim()
    labels = zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
    shown = [text.get_text() for tick, text in labels if low <= tick <= high]
    assert {"1", "10", "100"} <= set(shown) and not [
        text for text in shown if "$" in text
    ]


def test_a_narrow_logarithmic_axis_has_numbers_too():
    ax, _ = drawn(LearningCurve.from_history(unvalidated([0.34, 0.33, 0.32])), log=True)
    low, high = ax.get_ylim()
    assert sum(low <= tick <= high for tick in ax.get_yticks()) >= 3


def test_a_logarithmic_axis_needs_positive_losses():
    curve = LearningCurve.from_history(unvalidated([0.5, -0.1]))
    with pytest.raises(UsageError, match="needs positive losses"):
        curve.draw(log=True)
    assert drawn(curve)[0].get_ylim()[0] < -0.1


@pytest.mark.parametrize(
    "rows",
    [
        member(0, [0.5], 1),
        member(0, [0.5], 1, start=0.6),
        member(0, [], 0, start=0.6),
        member(0, [0.5] * 2_000, 7),
    ],
    ids=["one epoch", "one and the start", "only the start", "thousands, all equal"],
)
@pytest.mark.parametrize("log", [False, True])
def test_runs_of_any_length_are_drawn(rows, log):
    ax, legend = drawn(LearningCurve.from_history(history(rows)), log)
    assert legend[-1].startswith("kept: epoch ")
    shown = [text.get_text() for text in ax.get_xticklabels()]
    assert len(set(shown)) == len(shown)


def test_draws_on_somebody_elses_axes():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert LearningCurve.from_history(TWO).draw(ax, log=True) is ax
    assert len(ax.get_lines()) == 7 and ax.get_yscale() == "log"
    assert ax.get_legend() is None


def test_saves_the_whole_file_and_the_same_bytes(tmp_path):
    curve = LearningCurve.from_history(TWO)
    for ending, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF-")):
        first = curve.save(tmp_path / f"a{ending}", log=True).read_bytes()
        assert first.startswith(start)
        assert first == curve.save(tmp_path / f"b{ending}", log=True).read_bytes()
    with pytest.raises(OutputError, match=r"\.png"):
        curve.save(tmp_path / "c.txt")


# ---------------------------------------------------------------- its words


def test_labels_are_the_callers():
    curve = LearningCurve.from_history(
        TWO, {"title": "Cost $x", "epoch": "Epoche", "validation": "Prüfung"}
    )
    ax, legend = drawn(curve)
    assert legend[1] == "Prüfung" and legend[3].startswith("kept: Epoche 2–4")
    assert ax.get_xlabel() == "Epoche"
    assert ax.figure.get_suptitle() == "Cost $x"


def test_unknown_labels_are_refused():
    with pytest.raises(
        UsageError,
        match=r"'epochs', which is not a label of this plot\. Its labels are title, epoch",
    ):
        LearningCurve.from_history(TWO, {"epochs": "Epochen"})


def test_labels_without_a_font_are_english(monkeypatch):
    monkeypatch.setattr(fonts, "_OTHER_FONTS", ())
    curve = LearningCurve.from_history(TWO, {**JAPANESE, "kept": "behalten"})
    ax, legend = drawn(curve)
    assert legend == [
        "training",
        "validation",
        "start: mean 0.7000",
        "behalten: epoch 2–4, mean 0.3500",
    ]
    assert (ax.get_xlabel(), ax.figure.get_suptitle()) == ("epoch", LABELS["title"])
    assert set("学習曲線") <= set(curve.missing_letters())
    assert json.loads(curve.to_json())["labels"]["title"] == "学習曲線"
