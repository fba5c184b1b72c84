"""A short part of `make fuzz`: changed files and models are read, or refused in words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from fuzz.__main__ import saved_model, sources  # noqa: E402
from fuzz.trials import Saved, load_changed, read_changed  # noqa: E402


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Saved, Path]:
    folder = tmp_path_factory.mktemp("fuzz")
    return saved_model(folder), folder


@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_changed_files_are_read_or_refused(seed, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    assert not read_changed(seed, sources(), folder).startswith("defect")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_changed_models_forecast_or_are_refused(seed, saved):
    assert not load_changed(seed, *saved).startswith("defect")


@pytest.mark.parametrize(
    "seed", [0, 27, 62, 64, 68, 79, 98, 116, 123, 142, 285, 381, 6066]
)
def test_models_that_once_were_defects(seed, saved):
    assert not load_changed(seed, *saved).startswith("defect")
