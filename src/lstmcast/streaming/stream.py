"""Online: one network, many series, one tick at a time. It predicts, sees what came, learns, and
goes on.

Each series is a row of the batch. Its state is kept from tick to tick, as in a stateful Keras layer
whose rows have names: they join, leave and begin anew one by one. Predicting is NumPy and needs no
PyTorch; learning does.

S series, a row each · R rows of a tick · L ticks of a chunk · K columns · D units · M members · X
point, or quantiles
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lstmcast import store
from lstmcast.errors import DataError, ModelError, UsageError
from lstmcast.model.heads import HEAD_QUANTILES, Head, head_named
from lstmcast.model.network import Network, NetworkConfig, described, network_of
from lstmcast.streaming import scaling as online_scaling
from lstmcast.streaming.rows import Rows
from lstmcast.streaming.scaling import Fitted, Running
from lstmcast.streaming.window import Memory
from lstmcast.training_config import AnyLoss, Count, Loss, Optimiser, require_torch
from lstmcast.transforms import Transforms
from lstmcast.util.config import checked_seed, settings

if TYPE_CHECKING:
    from lstmcast import fitted
    from lstmcast.training.online import Learner

KIND = "online"
logger = logging.getLogger("lstmcast")


class Forecaster(Protocol):
    """What is used of a fitted `LSTMForecaster`."""

    @property
    def network(self) -> Network | None: ...
    @property
    def transforms(self) -> Transforms: ...
    @property
    def fitted(self) -> fitted.Fitted | None: ...


@settings
class Learning:
    """How a network learns from a stream.

    `chunk`: ticks that the gradient goes back, from the state that each row had before them
    (truncated backpropagation through time: Williams & Peng 1990). `every`: ticks from one update
    to the next; at 1 each tick is learned as part of `chunk` updates, at `chunk` once. `clip`:
    longest gradient, None for any. `loss`: as in `TrainingConfig`; `optimiser`: "adam", "adamw",
    "rmsprop" or "sgd".

    >>> Learning(chunk=4, every=8)
    Traceback (most recent call last):
    lstmcast.errors.UsageError: Learning(chunk=4, every=8): ticks would go by unlearned. Use every=4 or less.
    """

    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    chunk: Count = 8
    every: Count = 1
    clip: Annotated[float, Field(gt=0)] | None = 1.0
    loss: AnyLoss = Loss()
    optimiser: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"

    def __post_init__(self) -> None:
        if self.every > self.chunk:
            raise UsageError(
                f"Learning(chunk={self.chunk}, every={self.every}): ticks would go by unlearned. "
                f"Use every={self.chunk} or less."
            )


class Online:
    """A network that predicts the next tick of each row and, unless told otherwise, learns from
    what came.

    `start`: a fitted forecaster with plain inputs, a `Network`, or a `NetworkConfig` for one that
    knows nothing yet. `ids`: names of the rows, texts or whole numbers. `learning`: how it learns;
    None for a network that stays as it is. `scaling`: what is between values and network; the
    fitted forecaster's transforms, else `Running()`. `head`: your own head, if the network was made
    with it. Raises UsageError for a network that does not answer one step of plain inputs, and
    MissingExtraError where learning has no PyTorch.

    >>> config = NetworkConfig((8,), inputs="plain", head="point", horizon=1)
    >>> online = Online(config, ["a", "b"], scaling=Running("changes"))
    >>> for tick in range(6):
    ...     error = online.observe([tick % 2, 10 + tick])
    >>> online.predict().shape, online.updates
    ((2,), 4)
    """

    def __init__(
        self,
        start: Forecaster | Network | NetworkConfig,
        ids: Iterable[Any],
        *,
        learning: Learning | None = Learning(),  # noqa: B008  (frozen)
        scaling: Running | Fitted | None = None,
        head: Head | None = None,
        seed: int = 0,
    ) -> None:
        _check_kinds(start, learning, scaling, seed)
        self.learning, self.seed = learning, seed
        network = _network(start, head, seed)
        self.scaling = scaling or _scaling(start)
        if isinstance(self.scaling, Fitted) and network.config.channels > 1:
            raise UsageError(
                "Transforms of several columns that are read together are not known tick by tick. "
                "Use Running()."
            )
        self.network, self.learners = _learning(network, learning, seed)
        self.ticks = self.skipped = 0
        self.rows = Rows(ids)
        self.scaling.prepare(self.rows, network.config.channels)
        self.scaling.follow(self.rows.ids)
        self.memory = Memory(self.rows, network, learning.chunk if learning else None)

    def __repr__(self) -> str:
        how = f"{self.updates:,} updates" if self.learning else "not learning"
        return f"Online({self.network!r}, {len(self.rows):,} rows, {self.ticks:,} ticks, {how})"

    @property
    def ids(self) -> list[Any]:
        """Names of the rows, in the order of what is predicted."""
        return self.rows.ids.tolist()

    @property
    def updates(self) -> int:
        """How often the weights have moved."""
        return self.learners[0].updates if self.learners else 0

    def predict(self) -> NDArray:
        """The next value of each row, (S,) or (S, K) for several columns; NaN where nothing was
        read yet."""
        answer_SKX = self._answers()
        return self._flat(answer_SKX[..., answer_SKX.shape[2] // 2])

    def quantiles(self) -> NDArray:
        """The same at `lstmcast.model.heads.HEAD_QUANTILES`, as last axis; UsageError for a head that
        answers a point."""
        answer_SKX = self._answers()
        if answer_SKX.shape[2] < len(HEAD_QUANTILES):
            raise UsageError(
                "A point head has no quantiles. Use head='quantiles', 'normal' or 'student_t'."
            )
        return self._flat(answer_SKX)

    def observe(self, values: Any, ids: Iterable[Any] | None = None) -> NDArray:
        """What came: the errors (value − prediction) of these rows. The network learns from them
        and reads on.

        `values`: one for each row, or for each of `ids`, or by id as a dict or as a pandas Series
        (a frame of several columns) whose index names the rows; rows that are not named have no
        tick and stay as they are. NaN is a tick whose value nobody knows: the newest known one is
        read in its place, and nothing is learned from it. Raises UsageError or DataError, and
        nothing has changed.
        """
        values, ids = _by_label(values, ids)
        at = self.rows.at(ids)
        values_RK = self._checked(values, at)
        errors_RK = (
            values_RK - self.predict().reshape(len(self.rows), self.network.config.channels)[at]
        )
        tick = self.scaling.advance(self.rows, at, values_RK)
        if self.learning is not None:
            self.memory.label(at, tick.label_RK)
            if self.ticks % self.learning.every == 0:
                self._learn()
        self._read(at, tick.x_RK)
        self.ticks += 1
        return self._flat(errors_RK)

    def join(self, ids: Iterable[Any]) -> None:
        """New rows, from a fresh state; UsageError for one that is here already."""
        new = self.rows.new(ids)
        self.scaling.follow([*self.rows.ids, *new])
        self.rows.join(new)

    def leave(self, ids: Iterable[Any]) -> None:
        """Rows that have no more ticks; the others stay as they are."""
        self.rows.leave(ids)
        self.scaling.follow(self.rows.ids)

    def reset(self, ids: Iterable[Any] | None = None) -> None:
        """Begin these rows (all for None) anew, as if they had just joined; the weights stay."""
        self.rows.clear(self.rows.at(ids))

    def frozen(self) -> Online:
        """A copy that goes on from here without learning."""
        manifest, groups = self._described()
        return Online._made(
            {**manifest, "learning": None}, groups, Path("memory"), self.network.head
        )

    def save(self, folder: str | Path) -> None:
        """Save everything: a process that stops here goes on, after `load`, with the same bits.
        OutputError."""
        store.save(folder, *self._described())

    @classmethod
    def load(cls, folder: str | Path, *, learns: bool = True, head: Head | None = None) -> Online:
        """What `save` wrote; with `learns=False` it goes on without learning, and without PyTorch.

        ModelError where it is damaged or something else.
        """
        manifest, groups = store.load(folder)
        if manifest.get("kind") != KIND:
            what = manifest.get("kind", "thing of no kind")
            raise ModelError(
                f"{folder} holds a {what}, not a network with its rows as Online.save writes it."
            )
        if not learns:
            manifest = {**manifest, "learning": None}
        try:
            return cls._made(manifest, groups, Path(folder), head)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"The manifest in {folder} is incomplete ({error!r}). Save it again."
            ) from error

    def _checked(self, values: Any, at: NDArray) -> NDArray:
        """The values (R, K)."""
        K = self.network.config.channels
        shape = (len(at),) if K == 1 else (len(at), K)
        try:
            given = np.asarray(values, float)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"The values are not numbers: {error}. An array {shape} is expected."
            ) from error
        if given.shape != shape:
            raise UsageError(
                f"The values have the shape {given.shape}; one for each row is expected, {shape}."
            )
        values_RK = given.reshape(len(at), K)
        infinite = np.flatnonzero(np.isinf(values_RK).any(axis=1))
        if len(infinite):
            name = self.rows.ids[at[infinite[0]]]
            raise DataError(f"Row {name!r} has an infinite value. Use nan for one that is unknown.")
        return values_RK

    def _flat(self, part: NDArray) -> NDArray:
        return part[:, 0] if self.network.config.channels == 1 else part

    def _answers(self) -> NDArray:
        return self.scaling.units(self.rows, self.rows["answer"])

    def _read(self, at: NDArray, x_RK: NDArray) -> None:
        """Feed the network one tick of the rows that have begun, and keep its state and its
        answer."""
        at, x_RK = self.memory.begun(at, x_RK)
        if len(at):
            hidden, states = self.network.run(
                x_RK[None], np.ones((1, len(at)), bool), self.memory.states(at)
            )
            answer_RKX = _answers(self.network, [hidden_1RD[0] for hidden_1RD in hidden], x_RK)
            self.memory.remember(at, x_RK, states, answer_RKX)

    def _learn(self) -> None:
        """One update from the newest ticks of all rows that have news."""
        news = self.memory.window()
        if news is None:
            return
        at, window = news
        for m, learner in enumerate(self.learners):
            reason = learner.learn(window, m)
            if reason is not None:
                self.skipped += 1
                worst = _worst(self.rows, at, window.label_RTK)
                logger.warning(
                    "tick %d: the network did not learn: %s (%s)", self.ticks, reason, worst
                )

    def _described(self) -> tuple[dict[str, Any], dict[str, dict[str, NDArray]]]:
        """Everything that the next tick depends on, for the store."""
        about, weights = described(self.network)
        manifest = {
            "kind": KIND,
            **about,
            "learning": asdict(self.learning) if self.learning else None,
            "seed": self.seed,
            "scaling": online_scaling.described(self.scaling),
            "ticks": self.ticks,
            "skipped": self.skipped,
            "ids": self.ids,
        }
        groups = {"weights": weights, "rows": self.rows.arrays()}
        if isinstance(self.scaling, Fitted):
            groups["transforms"] = self.scaling.transforms.arrays(self.scaling.learned)
        learned = {
            f"{m}_{key}": part
            for m, own in enumerate(self.learners)
            for key, part in own.saved().items()
        }
        return manifest, groups | ({"optimiser": learned} if learned else {})

    @classmethod
    def _made(
        cls,
        manifest: dict[str, Any],
        groups: dict[str, dict[str, NDArray]],
        folder: Path,
        head: Head | None,
    ) -> Online:
        """From what `_described` gave."""
        learning = None if manifest["learning"] is None else Learning(**manifest["learning"])
        scaling = online_scaling.from_described(manifest["scaling"], groups.get("transforms", {}))
        network = network_of(folder, manifest, groups, head)
        made = cls(
            network,
            manifest["ids"],
            learning=learning,
            scaling=scaling,
            head=head,
            seed=manifest["seed"],
        )
        made.ticks, made.skipped = manifest["ticks"], manifest["skipped"]
        made.rows.put(groups["rows"])
        for m, learner in enumerate(made.learners):
            own = groups["optimiser"].items()
            learner.take_up(
                {key.removeprefix(f"{m}_"): part for key, part in own if key.startswith(f"{m}_")}
            )
        return made


def _by_label(values: Any, ids: Iterable[Any] | None) -> tuple[Any, Iterable[Any] | None]:
    """Values and the ids that they come with, if they do; numbers from 0 as an index are no
    names."""
    if isinstance(values, Mapping):
        values, named = list(values.values()), list(values)
    # of pandas: others have no index
    elif hasattr(values, "to_numpy") and hasattr(values, "index"):
        values, named = values.to_numpy(), values.index.tolist()
        if named == list(range(len(named))):
            return values, ids
    else:
        return values, ids
    if ids is not None:
        raise UsageError("The values name their rows, and ids= names them again. Leave ids out.")
    return values, named


def _check_kinds(start: Any, learning: Any, scaling: Any, seed: Any) -> None:
    """UsageError for an argument of another kind than is expected."""
    if not isinstance(start, (Network, NetworkConfig)) and not hasattr(start, "network"):
        raise UsageError(
            f"{start!r} is nothing to begin with. Give a fitted forecaster, a Network or a "
            "NetworkConfig."
        )
    if learning is not None and not isinstance(learning, Learning):
        raise UsageError(
            f"{learning=} does not say how to learn. Give Learning(…), or None to learn nothing."
        )
    if scaling is not None and not isinstance(scaling, (Running, Fitted)):
        raise UsageError(
            f"{scaling=} scales no stream. Give Running(…), or a fitted forecaster with its "
            "transforms."
        )
    checked_seed(seed)


def _network(start: Forecaster | Network | NetworkConfig, head: Head | None, seed: int) -> Network:
    """The network to begin with; UsageError where it cannot read ticks."""
    network = (
        None
        if isinstance(start, NetworkConfig)
        else start
        if isinstance(start, Network)
        else start.network
    )
    if network is None and not isinstance(start, NetworkConfig):
        raise UsageError(
            "This forecaster knows nothing yet: fit it first, or give Online a NetworkConfig."
        )
    config = network.config if network else start
    assert isinstance(config, NetworkConfig)
    if config.is_causal or config.steps != 1:
        raise UsageError(
            "Online reads a tick and predicts the next one, and this network has "
            f"inputs={config.inputs!r} and horizon={config.horizon}. Use "
            "NetworkConfig(inputs='plain', horizon=1)."
        )
    if network is not None:
        if head is not None:
            head_named(config.head, head)
        return network
    require_torch()
    from lstmcast.training.online import fresh_arrays

    return Network(config, [fresh_arrays(config, head_named(config.head, head), seed)], head)


def _scaling(start: Forecaster | Network | NetworkConfig) -> Running | Fitted:
    if isinstance(start, (Network, NetworkConfig)):
        return Running()
    state = start.fitted.transforms_state if start.fitted else None
    return Running() if state is None else Fitted(start.transforms, state)


def _learning(
    network: Network, learning: Learning | None, seed: int
) -> tuple[Network, list[Learner]]:
    """A network of its own, and what moves its weights: both see the same numbers."""
    if learning is None:
        copies = [{name: array.copy() for name, array in own.items()} for own in network.members]
        return Network(network.config, copies, network.head), []
    require_torch()
    from lstmcast.training.online import Learner

    optimiser = Optimiser(learning.optimiser, learning.learning_rate, clip=learning.clip)
    learners = [
        Learner(network.config, own, network.head, optimiser, learning.loss, seed)
        for own in network.members
    ]
    return Network(network.config, [learner.arrays for learner in learners], network.head), learners


def _answers(network: Network, hidden_MRD: list[NDArray], x_RK: NDArray) -> NDArray:
    """What the members say on average: quantiles (R, K, Q), or points (R, K, 1)."""
    raws = (raw_RHKR[:, 0] for raw_RHKR in network.raw(hidden_MRD, x_RK))
    if network.head.name == "point":
        return np.mean([network.head.point(raw_RKR, np) for raw_RKR in raws], axis=0)[..., None]
    return np.mean([network.head.quantiles(raw_RKR, np) for raw_RKR in raws], axis=0)


def _worst(rows: Rows, at: NDArray, label_RTK: NDArray) -> str:
    """The row that is furthest from what is usual."""
    largest = np.nanmax(np.abs(label_RTK).reshape(len(at), -1), axis=1)
    row = int(np.argmax(largest))
    return f"row {rows.ids[at[row]]!r} has a label of {largest[row]:.3g}"
