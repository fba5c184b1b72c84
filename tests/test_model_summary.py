"""The table of a network's layers."""

from __future__ import annotations

import numpy as np
import pytest

from lstmcast.errors import UsageError
from lstmcast.forecaster import LSTMForecaster
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import Network, NetworkConfig, array_shapes
from lstmcast.model.summary import summary

PLAIN = NetworkConfig(inputs=Transformed(), layers=(20,), head="point", horizon=1)


def test_counts_are_those_of_keras():
    """4 · units · (inputs + units + 1) and units · outputs + outputs."""
    assert [row.parameters for row in summary(PLAIN).rows] == [
        0,
        4 * 20 * (1 + 20 + 1),
        21,
    ]


def test_all_arrays_are_counted():
    network = LSTMForecaster(12).network
    table = summary(network)
    assert table.total == sum(
        array.size for member in network.members for array in member.values()
    )
    assert table.members == len(network.members) and f"= {table.total:,}" in str(table)
    assert table.rows[-1].layer == "inputs to head"


def test_shapes_of_several_columns_steps_and_numbers():
    config = NetworkConfig(
        inputs=Transformed(columns=3),
        before=(7,),
        after=(6,),
        layers=(5,),
        head="normal",
        horizon=4,
    )
    shapes = {row.layer: row.shape_text for row in summary(config).rows}
    assert (
        shapes["inputs"] == "(batch, time, 3)"
        and shapes["dense 0 before"] == "(batch, time, 7)"
    )
    assert (
        shapes["dense 0 after"] == "(batch, time, 6)"
        and shapes["head (normal)"] == "(batch, time, 4, 3, 2)"
    )


def test_a_trained_network_has_the_same_table():
    arrays = {name: np.zeros(shape) for name, shape in array_shapes(PLAIN).items()}
    assert summary(Network(PLAIN, [arrays])) == summary(PLAIN)


def test_in_notebooks_it_is_a_table():
    page = summary(PLAIN)._repr_html_()
    assert "<table" in page and "1,760" in page and "1,781 parameters" in page


@pytest.mark.parametrize(
    "given", ["x", None, LSTMForecaster(3)], ids=["text", "none", "forecaster"]
)
def test_what_has_no_layers_is_refused(given):
    with pytest.raises(
        UsageError,
        match=f"A {type(given).__name__} has no layers.*such as forecaster.network",
    ):
        summary(given)


def test_a_horizon_is_needed():
    with pytest.raises(UsageError, match="horizon of the network is not set"):
        summary(NetworkConfig())
