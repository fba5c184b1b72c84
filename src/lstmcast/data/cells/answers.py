"""Yes and no in several languages, as 1 and 0."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from lstmcast.data.sheet import Column, folded

_YES_WORDS = "yes y true t on ja j wahr oui vrai si sí sì sim vero はい 有 あり ○"
_NO_WORDS = "no n false f off nein falsch non faux não nao falso いいえ 無 なし ×"
_ANSWERS: dict[str, float] = dict.fromkeys(_YES_WORDS.split(), 1.0)
_ANSWERS |= dict.fromkeys(_NO_WORDS.split(), 0.0)
_NO_ANSWER = {"", "nan", "none", "null", "na", "n/a"}


def answers_of(column: Column) -> ndarray | None:
    """1 and 0 for yes and no, also as Python's booleans; None for anything else."""
    if column.data.dtype == bool:
        return column.spread(column.data.astype(np.float64))
    return yes_or_no(column)


def yes_or_no(column: Column) -> ndarray | None:
    """1 and 0 for yes and no in one of several languages; None for anything else."""
    if not column.is_text:
        return None
    texts = [folded(text) for text in column.data]
    distinct = set(texts) - _NO_ANSWER
    if not distinct or not distinct <= _ANSWERS.keys():
        return None
    answers = [_ANSWERS.get(text, np.nan) for text in texts]
    return column.spread(np.array(answers))
