"""The parts of a stream, from arguments or from a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from lstmcast.context import Blocks, Context, Newest, Whole
from lstmcast.data.panel import Kind, Panel
from lstmcast.data.times.frequency import Frequency
from lstmcast.errors import UsageError
from lstmcast.evaluation.anomalies import Alerts
from lstmcast.evaluation.conformal import Conformal
from lstmcast.model.heads import Head
from lstmcast.model.inputs import FittedTransforms, Grid
from lstmcast.model.inputs.periods import may_differ
from lstmcast.model.inputs.slow_clock import Clock, clock_of
from lstmcast.model.network import Network, NetworkConfig, described, network_of
from lstmcast.model.static import require_no_static
from lstmcast.streaming.closed import OpenTimes
from lstmcast.streaming.learning import Learning, learners_of
from lstmcast.streaming.opening import (
    ANYWHERE,
    Forecaster,
    check_kinds,
    frequency_of,
    from_forecaster,
    grid_of,
    may_read_roots,
    opening_network,
    require_readable,
    stops_of,
)
from lstmcast.streaming.rowkinds import FRACTIONS, whole_of_new
from lstmcast.util.objects import objects

if TYPE_CHECKING:
    from lstmcast.training.online import Learner

Groups = Mapping[str, Mapping[str, NDArray]]
KIND = "stream"
CONTEXTS = {"Blocks": Blocks, "Newest": Newest, "Whole": Whole}


class Parts(NamedTuple):
    """The parts that do not change from tick to tick."""

    network: Network
    grid: Grid
    context: Context
    learned: FittedTransforms | None  # fitted transforms of the network
    learning: Learning | None
    alerts: Alerts | None
    conformal: Conformal | None
    seed: int
    clock: Clock | None  # how ticks form years
    own_periods: bool  # whether periods of rows are inferred
    stops: int  # lower bound of forecasts of new rows
    are_whole: int  # whether values of new rows are whole numbers
    rates: bool  # whether long horizons use several rates
    open_times: OpenTimes | None

    def described(self) -> tuple[dict[str, Any], dict[str, dict[str, NDArray]]]:
        """The manifest entries and arrays for the store."""
        about, weights = described(self.network)
        manifest = {
            "kind": KIND,
            **about,
            "learning": _described(self.learning),
            "seed": self.seed,
            "alerts": _described(self.alerts),
            "conformal": _described(self.conformal),
            "stops": self.stops,
            "whole": self.are_whole,
            "rates": self.rates,
            "periods": list(self.grid.periods),
            "family": self.grid.family,
            "own_periods": self.own_periods,
            "clock": None if self.clock is None else list(self.clock),
            "roots": self.grid.roots,
            "context": {"kind": type(self.context).__name__, **asdict(self.context)},
        }
        groups = {"weights": weights}
        if self.open_times is not None:
            manifest["open_times"] = self.open_times.described()
            groups["calendar"] = self.open_times.calendar.arrays()
        if self.learned is not None:
            groups["transforms"] = self.learned.arrays()
            manifest["learned_of"] = [str(name) for name in self.learned.state.ids]
        return manifest, groups

    @classmethod
    def from_saved(
        cls, manifest: dict[str, Any], groups: Any, folder: Path, head: Head | None
    ) -> Parts:
        """Rebuild from a manifest; errors as in `network_of`, KeyError if a part is missing."""
        learning = _made(Learning, manifest["learning"])
        network = network_of(folder, manifest, groups, head)
        context = dict(manifest["context"])
        grid = Grid(
            network.config.steps, tuple(manifest["periods"]), manifest["family"]
        )
        clock_fields = manifest.get("clock")
        calendar = manifest.get("open_times")
        clock, open_times = None, None
        if clock_fields:
            clock = Clock(*clock_fields)
        if calendar:
            open_times = OpenTimes.from_saved(calendar, groups["calendar"])
        return cls(
            network=network,
            grid=grid._replace(roots=manifest.get("roots", True)),
            context=CONTEXTS[context.pop("kind")](**context),
            learned=_learned(network, manifest, groups),
            learning=learning,
            alerts=_made(Alerts, manifest.get("alerts")),
            conformal=_made(Conformal, manifest.get("conformal")),
            seed=manifest["seed"],
            # Streams of older versions have no slow clock, inferred periods, bounds or wholes.
            clock=clock,
            own_periods=manifest.get("own_periods", False),
            stops=manifest.get("stops", ANYWHERE),
            are_whole=manifest.get("whole", FRACTIONS),
            rates=manifest.get("rates", True),
            open_times=open_times,
        )


class Ways(NamedTuple):
    """The settings of a stream other than its network."""

    learning: Learning | None
    alerts: Alerts | None
    conformal: Conformal | None
    seed: int

    def check(self) -> None:
        """UsageError for settings of another kind than is expected."""
        kinds = {"learning": Learning, "alerts": Alerts, "conformal": Conformal}
        for name, kind in kinds.items():
            require_settings(name, getattr(self, name), kind)


def require_settings(name: str, value: Any, kind: type[Any]) -> None:
    """UsageError for a value that is neither None nor settings of this kind."""
    if value is not None and not isinstance(value, kind):
        raise UsageError(
            f"{name}={value!r} is not a setting of {name}. Give {name}="
            f"lc.{kind.__name__}(), or None for none."
        )


def parts_of(
    start: Forecaster | Network | NetworkConfig,
    panel: Panel | None,
    frequency: str | Frequency,
    periods: int | Sequence[int] | None,
    kind: Kind | None,
    head: Head | None,
    ways: Ways,
) -> tuple[Parts, NDArray | None]:
    """The parts from the arguments of a stream, and the bounds of a panel's series (S,), or None
    without a panel.

    Raises UsageError if the network and its inputs cannot be read tick by tick with them.
    """
    check_kinds(start, ways.seed)
    ways.check()
    stops, stops_S = stops_of(start, panel, kind)
    grid = grid_of(panel, frequency, periods)
    step = frequency_of(panel, frequency)
    network = opening_network(start, head, ways.seed, ways.learning)
    require_no_static(network.config, "a stream")
    if panel is not None:
        require_readable(panel, network)
    learned, context, rates = from_forecaster(start)
    if context is None:
        context = network.config.inputs.context(grid.periods)
    parts = Parts(
        network=network,
        grid=grid._replace(roots=may_read_roots(start, panel, kind)),
        context=context,
        learned=learned,
        clock=clock_of(step),
        own_periods=may_differ(grid.periods, step),
        stops=stops,
        are_whole=whole_of_new(start, panel, kind),
        rates=rates,
        open_times=OpenTimes.of(panel),
        # it begins once the history is read
        **ways._replace(learning=None)._asdict(),
    )
    return parts, stops_S


def opened(parts: Parts) -> tuple[Parts, list[Learner]]:
    """The parts with a copy of the network for the stream, and its learners."""
    network, learners = learners_of(parts.network, parts.learning, parts.seed)
    effects = network.config.inputs.from_context and parts.clock is not None
    grid = parts.grid._replace(horizon=network.config.steps, effects=effects)
    return parts._replace(network=network, grid=grid), learners


def _described(settings: Any) -> dict[str, Any] | None:
    return None if settings is None else asdict(settings)


def _made(kind: Any, description: Mapping[str, Any] | None) -> Any:
    """Settings of this kind; None if there are none."""
    return None if description is None else kind(**description)


def _learned(
    network: Network, manifest: Mapping[str, Any], groups: Groups
) -> FittedTransforms | None:
    """The fitted transforms of a saved stream."""
    if "learned_of" not in manifest:
        return None
    ids = objects(manifest["learned_of"])
    return network.config.inputs.fitted_from(groups["transforms"], ids)
