"""Windows, chunks and turns: the index arithmetic against loops that spell it out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmcast import windows
from lstmcast.data.panel import Panel
from lstmcast.errors import DataError, UsageError
from lstmcast.fit_data import AdaptiveData, TransformedData
from lstmcast.training_config import Validation
from lstmcast.windows import Split

# first, training, validation
series = st.tuples(st.integers(0, 3), st.integers(1, 12), st.integers(0, 8))


def parts_from(spans):
    first, training, validation = (np.array(part) for part in zip(*spans, strict=True))
    return Split(
        np.arange(len(spans)), first, first + training, first + training + validation
    )


def as_tuples(segments):
    return list(zip(*(part.tolist() for part in segments), strict=True))


@given(
    st.lists(series, min_size=1, max_size=5),
    st.integers(1, 6),
    st.integers(1, 3),
    st.booleans(),
)
def test_windows_by_number_are_those_of_a_loop(spans, length, stride, every):
    parts = parts_from(spans)
    expected = []
    for s, (first, training, _) in enumerate(spans):
        end = first + training
        for begin in range(first, end, stride):
            # the target after the last step is in the training part
            if begin + length < end:
                expected.append(
                    (
                        s,
                        begin,
                        begin + length,
                        begin if every else begin + length - 1,
                        end,
                    )
                )
    total = int(windows.window_counts(parts, length, stride).sum())
    assert (
        as_tuples(windows.windows(parts, np.arange(total), length, stride, every))
        == expected
    )


@given(
    st.lists(series, min_size=1, max_size=5),
    st.integers(1, 6),
    st.booleans(),
    st.booleans(),
)
def test_validation_windows_answer_into_the_validation_part(
    spans, length, every, fresh
):
    parts = parts_from(spans)
    expected = []
    for s, (first, training, validation) in enumerate(spans):
        end, stop = first + training, first + training + validation
        for begin in range(first, stop):
            newest = begin + length - 1
            if end <= newest + 1 < stop and (not fresh or begin >= end - 1):
                loss = max(begin, end - 1) if every else newest
                expected.append((s, begin, begin + length, loss, stop))
    assert (
        as_tuples(
            windows.validation_windows(
                parts, length, every_step=every, fresh_state=fresh
            )
        )
        == expected
    )


@given(st.lists(series, min_size=1, max_size=5))
def test_training_never_sees_a_target_of_the_validation_part(spans):
    parts = parts_from(spans)
    read = windows.whole(parts)
    assert (read.limit == parts.end).all() and (read.stop < read.limit).all()
    held_back = windows.validation_whole(parts, fresh_state=False)
    ends = dict(zip(parts.series, parts.end, strict=True))
    assert all(
        begin + 1 >= ends[s]
        for s, begin in zip(held_back.series, held_back.begin, strict=True)
    )


@given(st.lists(series, min_size=1, max_size=4), st.integers(1, 5))
def test_chunks_follow_each_other_to_the_end(spans, chunk):
    whole = windows.whole(parts_from(spans))
    read = [[] for _ in spans]
    for piece in windows.chunks(whole, chunk):
        assert (piece.lengths <= chunk).all() and len(piece.series) == len(spans)
        for s, first, last in zip(piece.series, piece.first, piece.stop, strict=True):
            read[s] += range(first, last)
    assert read == [
        list(range(a, b)) for a, b in zip(whole.first, whole.stop, strict=True)
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(2, 12), st.just(0)),
        min_size=1,
        max_size=6,
    ),
    st.integers(1, 4),
    st.integers(1, 5),
)
def test_rows_read_one_series_after_the_other(spans, rows, chunk):
    parts = parts_from(spans)
    read, rows_of, begun = {s: [] for s in range(len(spans))}, {}, []
    for turn in windows.turns(parts, rows, chunk, chunk, last_only=False):
        assert len(set(turn.rows.tolist())) == len(turn.rows)
        for row, begins, s, first, last, begin, _ in zip(
            turn.rows, turn.begins, *turn.segments, strict=True
        ):
            assert begin == first and rows_of.setdefault(s, row) == row == s % rows
            assert begins == (first == parts.first[s])
            begun += [s] if begins else []
            read[s] += range(first, last)
    assert read == {s: list(range(parts.first[s], parts.end[s] - 1)) for s in read}
    assert sorted(begun) == list(range(len(spans)))


def test_overlapping_chunks_are_strided():
    parts = parts_from([(0, 8, 0)])
    firsts = [
        turn.segments.first.tolist()
        for turn in windows.turns(parts, 1, 3, 1, last_only=True)
    ]
    assert firsts == [[0], [1], [2], [3], [4]]
    assert next(
        windows.turns(parts, 1, 3, 1, last_only=True)
    ).segments.begin.tolist() == [2]


def test_each_number_is_drawn_about_equally_often():
    counts = np.bincount(windows.drawn(np.random.default_rng(0), 5, 13))
    assert sorted(counts) == [2, 2, 3, 3, 3]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(5, 40), st.just(0)), min_size=1),
    st.floats(0.5, 1),
)
def test_a_cut_leaves_a_target_and_the_newest_steps(spans, share):
    parts = parts_from(spans)
    read = windows.cut_off(parts, np.arange(len(spans)), share, 7)
    assert (
        (read.first >= parts.first)
        & (read.first < read.stop)
        & (read.stop < read.limit)
    ).all()
    assert (read.lengths <= 7).all()


def plain(lengths, ends, ids, missing=()):
    values = np.arange(float(sum(lengths)))[:, None]
    values[list(missing)] = np.nan
    return TransformedData(
        values, values, np.cumsum([0, *lengths]), np.array(ends), np.array(ids, object)
    )


def test_series_are_taken_in_the_order_of_their_ids_from_their_first_known_value():
    parts = windows.split_of(
        plain([4, 5, 3], [3, 4, 2], ["c", "a", "b"], missing=[4, 9, 10])
    )
    # of "b" nothing is known in its training part
    assert parts.series.tolist() == [1, 0]
    assert (
        parts.first.tolist() == [1, 0]
        and parts.end.tolist() == [4, 3]
        and parts.length.tolist() == [5, 4]
    )


def test_short_series_are_left_out_and_counted():
    parts = parts_from([(0, 3, 1), (0, 9, 1), (0, 4, 0)])
    enough, notes = windows.long_enough(parts, 5, "Windows(length=4)")
    assert enough.series.tolist() == [1]
    assert notes == (
        "2 of 3 series are shorter than the 5 observations that Windows(length=4) needs: not "
        "trained on",
    )
    with pytest.raises(
        DataError, match=r"needs 10 observations .* longest has 9.\nHold back less"
    ):
        windows.long_enough(parts, 10, "Windows(length=9)")


def test_ends_must_fit_the_series():
    with pytest.raises(UsageError, match="one count per series"):
        plain([4], [5], ["a"])
    panel = Panel.from_arrays({"a": [1.0, 2, 3]}, frequency="MS", start="2020-01")
    with pytest.raises(UsageError, match="one count per series"):
        AdaptiveData(panel, np.array([1, 2]))


def test_fingerprints_tell_data_apart():
    data = plain([6], [5], ["a"])
    assert data.fingerprint() == plain([6], [5], ["a"]).fingerprint()
    others = [
        plain([6], [4], ["a"]),
        plain([6], [5], ["b"]),
        plain([6], [5], ["a"], missing=[3]),
        data.everything(),
    ]
    assert len({data.fingerprint(), *(other.fingerprint() for other in others)}) == 5


@pytest.mark.parametrize(
    ("validation", "lengths", "ends"),
    [
        (Validation(), [100, 8, 3], [90, 6, 3]),
        (Validation(steps=12), [100, 12], [88, 12]),
        (Validation(share=0.3), [143, 10], [100, 7]),
        (Validation(share=0.3, by="windows"), [143, 10], [143, 10]),
    ],
)
def test_training_ends(validation, lengths, ends):
    assert validation.training_ends(np.array(lengths), horizon=10).tolist() == ends
