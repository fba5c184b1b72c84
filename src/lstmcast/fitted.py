"""The fitted part of a forecaster, as one frozen value: made by `fit`, stored in a saved model.

It holds the network, the fitted transforms, the factors that widen intervals, and the saved
context.

    S series · O origins · H horizon · Q quantile levels of the head · I central intervals
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstmcast import decoding
from lstmcast.context import Context, Newest, Whole
from lstmcast.covariates.effects import effects_of
from lstmcast.data.keys import packed, unpacked
from lstmcast.data.origins import Origins
from lstmcast.data.panel import Panel
from lstmcast.errors import DataError, UsageError
from lstmcast.forecast import NETWORK
from lstmcast.model.inputs import FittedTransforms, Transformed
from lstmcast.model.network import Network, described
from lstmcast.saved_context import SavedContext
from lstmcast.training_config import (
    Batching,
    TrainingConfig,
    Windows,
    to_json,
    training_from_json,
)
from lstmcast.training_record import Arrays, Groups, Record

Mode = Literal["direct", "recursive", "one-step"]

# Names of format 1, and the names that replaced them.
RENAMED_KEYS = {"levels": "quantiles"}
RENAMED_GROUPS = {"learned": "fitted"}


@dataclass(frozen=True, eq=False)
class Fitted:
    """A network with everything that it needs to forecast.

    Args:
        network: the network.
        inputs: the fitted transforms of its inputs; None where they are fitted anew for each
            forecast.
        context: which observations a forecast reads; None for the default.
        changes: the mean absolute change of each series from one step to the next, by its id.
        factors_HI: the factors that widen intervals; None where they are measured before each
            forecast.
        saved_context: the observations that forecasts continue; None for a model that keeps none.
        record: how it was trained; None if it was not.
        method: how it forecasts, if it was trained.
        shares: the shares of the simple forecasts it is combined with, by name.
    """

    network: Network
    inputs: FittedTransforms | None = None
    context: Context | None = None
    changes: Mapping[str, float] = field(default_factory=dict)
    factors_HI: NDArray | None = None
    saved_context: SavedContext | None = None
    record: Record | None = None
    method: str = NETWORK
    shares: Mapping[str, float] = field(default_factory=dict)

    def decode(
        self, panel: Panel, origins: Origins, horizon: int, mode: Mode = "direct"
    ) -> NDArray:
        """Quantiles (O, horizon, Q) at `heads.HEAD_QUANTILES` in the units of the data.

        They are the network's own, before any calibration. Of mode "one-step" the horizon is 1.
        What is known in advance is taken out of what is read, and put back into the answers; of a
        head that is not affine, it multiplies the mean.
        """
        effects = effects_of(panel)
        if effects is None:
            return _decoded(self.reader, panel, origins, horizon, mode)
        if self.network.head.affine:
            answers = _decoded(self.reader, effects.adjusted, origins, horizon, mode)
            return effects.restored(answers, origins)
        reader = replace(self.reader, uplift_OH=effects.uplift(origins, horizon))
        answers = _decoded(reader, effects.at_base.panel, origins, horizon, mode)
        return effects.left_open(answers, origins)

    def states(self, panel: Panel) -> dict[str, list[tuple[NDArray, NDArray]]]:
        """The states h and c (T, units) of each LSTM layer of the first member, by series."""
        if not isinstance(self.network.config.inputs, Transformed):
            raise UsageError(
                "states() needs a network with transformed inputs; this one has "
                f"inputs={self.network.config.inputs!r}."
            )
        states = {}
        rows = self.network.config.inputs.rows(panel)
        for row_states, row in zip(
            decoding.hidden_states(self.reader, panel), rows, strict=True
        ):
            for series in row:
                states[str(panel.ids[series])] = row_states
        return states

    @property
    def reader(self) -> decoding.Reader:
        """The parts that decoding needs."""
        return decoding.Reader(
            self.network, self.inputs, self.context, self.changes, self.knows_rates
        )

    @property
    def knows_rates(self) -> bool:
        """Whether the network can forecast any frequency, as the pretrained one can."""
        return self.record is None or self.record.initial_weights != "scratch"

    def measured_ahead(self, horizon: int, mode: Mode) -> int:
        """Steps to forecast where intervals are measured: all steps of the head.

        The intervals of the first steps must not depend on how many steps are forecast.
        """
        config = self.network.config
        if config.inputs.from_context and mode == "direct":
            return max(horizon, config.steps)
        return horizon

    @property
    def past(self) -> tuple[str, ...]:
        """Names of the past covariates that the network reads."""
        return self.network.config.inputs.past

    @property
    def known_share(self) -> float:
        """How much of the effects of columns that are known in advance is used."""
        if self.saved_context is None:
            return 1.0
        return self.saved_context.panel.covariates.future.share

    @property
    def fewest_known(self) -> int:
        """Known values that a series needs before its first forecast; 0 for none."""
        return self.network.config.inputs.fewest

    def check_columns(self, panel: Panel) -> None:
        """DataError where a joint network gets its columns in another order."""
        if self.record is None or self.network.config.inputs.columns == 1:
            return
        trained = [str(name) for name in self.record.ids]
        names = [str(name) for name in panel.ids]
        for place, name in enumerate(names):
            if name in trained and trained.index(name) != place:
                raise DataError(
                    f"The network reads the columns {', '.join(trained)} together, in this order; "
                    f"the data have {', '.join(names)}. Bring them into that order, for example "
                    f"by panel.select({trained})."
                )

    def context_of(self, panel: Panel, combines: bool = False) -> SavedContext:
        """The part of its data that a fitted model keeps.

        Args:
            panel: The data.
            combines: Whether simple forecasts read columns that the network does not read.
        """
        # A column that nothing reads would only be required of newer data.
        if self.past or not combines:
            panel = replace(panel, covariates=panel.covariates.only(self.past))
        if self.network.config.inputs.from_context:
            return SavedContext.of(panel)
        return SavedContext(panel)

    def needed_of(self, context: SavedContext) -> SavedContext:
        """The part of a saved context that the next forecasts need."""
        # Transforms that are not fitted yet are fitted to all of it.
        if not isinstance(self.context, Newest) or self.record is None or self.shares:
            return context
        count = self.context.length + self.fewest_known - 1
        newest = SavedContext.newest(context.panel, count)
        # The value read in place of a missing one may lie any number of steps back.
        columns = (newest.panel.values, *newest.panel.covariates.past.values())
        has_gaps = any(np.isnan(column).any() for column in columns)
        return context if has_gaps else newest

    def held_back_from(self, panel: Panel) -> NDArray | None:
        """Values of each series (S,) used in training, 0 for all; None if none were held back."""
        if self.record is None:
            return None
        trained = panel.frequency.position(self.record.ends, panel.starts) + 1
        held_back = np.where(trained < panel.lengths, trained, 0)
        return held_back if held_back.any() else None

    def saved(
        self, training: TrainingConfig
    ) -> tuple[dict[str, Any], dict[str, Arrays]]:
        """The manifest and the groups of arrays from which `from_saved` rebuilds it.

        Args:
            training: The settings that the manifest holds if nothing was trained.
        """
        assert self.saved_context is not None
        manifest, weights = described(self.network)
        manifest |= self.saved_context.described()
        groups: dict[str, Arrays] = {
            "weights": weights,
            "state": self.saved_context.arrays(),
        }
        if self.record:
            training = self.record.training
        manifest["training"] = to_json(training)
        if self.record:
            changes = [self.changes[str(name)] for name in self.record.ids]
            measured = {
                "factors": np.asarray(self.factors_HI),
                "changes": np.array(changes),
            }
            manifest["trained"] = self.record.described()
            if self.shares:
                manifest["combination"] = {
                    NETWORK: 1 - sum(self.shares.values()),
                    **self.shares,
                }
            groups["fitted"] = measured | self.record.arrays()
        if not self.network.config.inputs.from_context:
            transforms = self.inputs.arrays() if self.inputs else {}
            # weights from a folder, which are not trained here
            if self.inputs and not self.record:
                transforms = transforms | packed(self.inputs.state.ids)
            groups["transforms"] = transforms
        return manifest, groups

    @classmethod
    def from_saved(
        cls, manifest: Mapping[str, Any], groups: Groups, network: Network
    ) -> Fitted:
        """Rebuild it from what `saved` gave and the network read from the same folder.

        Raises:
            KeyError, TypeError, ValueError: Something is missing, or is not what it should be.
        """
        batching = training_from_json(manifest["training"]).batching
        untrained = cls(
            network,
            inputs_in(network, manifest, groups),
            context_for(network, batching),
            saved_context=SavedContext.from_saved(
                dict(manifest), dict(groups["state"])
            ),
        )
        if "trained" not in manifest:
            return untrained
        arrays = groups["fitted"]
        record = Record.from_saved(manifest, arrays)
        ids = [str(name) for name in record.ids]
        shares = dict(manifest.get("combination", {}))
        shares.pop(NETWORK, None)
        return replace(
            untrained,
            changes=dict(zip(ids, arrays["changes"].tolist(), strict=True)),
            factors_HI=arrays["factors"],
            record=record,
            method=manifest.get("method", NETWORK),
            shares=shares,
        )


def _decoded(
    reader: decoding.Reader, panel: Panel, origins: Origins, horizon: int, mode: Mode
) -> NDArray:
    """Quantiles (O, horizon, Q) of a panel of which nothing is known in advance."""
    if mode == "one-step":
        return decoding.one_step_ahead(reader, panel, origins)
    return decoding.decode(
        reader, panel, origins, horizon, recursive=mode == "recursive"
    )


def inputs_in(
    network: Network, manifest: Mapping[str, Any], groups: Groups
) -> FittedTransforms | None:
    """The fitted transforms of a saved model; None if they were not fitted."""
    arrays = groups.get("transforms", {})
    ids = groups["fitted"] if "trained" in manifest else arrays
    if network.config.inputs.from_context or "ids" not in ids:
        return None
    return network.config.inputs.fitted_from(
        arrays, unpacked(ids["ids"], ids["id_lengths"])
    )


def context_for(network: Network, batching: Batching) -> Context | None:
    """What forecasts with transformed inputs read: a window, else all; None for the default."""
    if network.config.inputs.from_context:
        return None
    if isinstance(batching, Windows) and batching.length is not None:
        return Newest(batching.length)
    return Whole()


def in_format_2(
    manifest: Mapping[str, Any], groups: Groups
) -> tuple[dict[str, Any], dict[str, Arrays]]:
    """A saved model of format 1 or 2 under the names of format 2."""
    manifest = {RENAMED_KEYS.get(name, name): value for name, value in manifest.items()}
    if "began" in manifest.get("trained", {}):
        trained = dict(manifest["trained"])
        manifest["trained"] = {"initial_weights": trained.pop("began"), **trained}
    return manifest, {
        RENAMED_GROUPS.get(name, name): group for name, group in groups.items()
    }
