"""Learning from the newest ticks of many rows: truncated backpropagation through time, one update
after the other.

R rows · T ticks of a window · C inputs · K columns · D units · H horizon (one step)
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from lstmcast.model.heads import Head
from lstmcast.model.lstm import State
from lstmcast.model.network import NetworkConfig
from lstmcast.training.losses import criterion, sums
from lstmcast.training.module import NetworkModule, arrays_from_state, module_from_arrays
from lstmcast.training.optim import make_optimiser
from lstmcast.training.settings import training_settings
from lstmcast.training.weights import trained_weights
from lstmcast.training_config import Loss, Optimiser
from lstmcast.windows import TickWindow

Kept = dict[str, NDArray]

EXPLODES = 1000.0  # times the usual gradient
SETTLED = 10  # updates before which any gradient may be the usual one


class Learner:
    """One member of a network while it learns.

    `arrays`: its weights, which share their memory with what is trained: an update is seen by
    whoever reads them.
    """

    def __init__(
        self,
        config: NetworkConfig,
        arrays: dict[str, NDArray],
        head: Head,
        optimiser: Optimiser,
        loss: Loss,
        seed: int,
    ) -> None:
        with training_settings(), torch.random.fork_rng(devices=()):
            self.module = module_from_arrays(arrays, config, head)
            (self.weights,) = trained_weights(self.module)
            self.optimiser = make_optimiser(optimiser, [self.weights])
        self.arrays = {name: self._parameter(name) for name in arrays}
        self.clip, self.seed = optimiser.clip, seed
        self.criterion = criterion(loss, head)
        self.updates, self.usual = 0, 0.0  # how many, and the usual norm of their gradients

    @property
    def _gradient(self) -> torch.Tensor:
        assert self.weights.grad is not None
        return self.weights.grad

    def _parameter(self, name: str) -> NDArray:
        part, _, rest = name.partition(".")
        if part == "lstm":
            layer, _, what = rest.partition(".")
            name = f"lstm.{layer}." + {"bias": "bias_ih_l0"}.get(what, f"{what}_l0")
        return self.module.get_parameter(name).detach().numpy()

    def learn(
        self, window: TickWindow, member: int, again: Sequence[TickWindow] = ()
    ) -> str | None:
        """One update, from older windows `again` too; or none, and the reason, where the loss or
        its gradient is beyond all bounds."""
        with (
            # The operations of one update are short: threads would wait for each other (measured:
            # up to 20 times slower).
            training_settings(threads=1),
            torch.random.fork_rng(devices=(), enabled=self.module.config.dropout > 0),
        ):
            if self.module.config.dropout > 0:
                torch.manual_seed(
                    int(np.random.default_rng([self.seed, member, self.updates]).integers(2**63))
                )
            loss = self._loss(window, window.states[member])
            if again:
                older = [self._loss(one, one.states[member]) for one in again]
                loss = (loss + torch.stack(older).mean()) / 2
            # gradients of the module's parameters are views of one tensor
            self.optimiser.zero_grad(set_to_none=False)
            loss.backward()
            norm = float(torch.linalg.vector_norm(self._gradient))
            reason = self._refused(float(loss.detach()), norm)
            if reason is None:
                if self.clip is not None and norm > self.clip:
                    self._gradient.mul_(self.clip / norm)
                self.optimiser.step()
                self.updates += 1
        return reason

    def loss(self, window: TickWindow, member: int) -> float:
        """The loss on a window; nothing is learned."""
        with training_settings(threads=1), torch.no_grad():
            self.module.eval()  # without dropout
            result = float(self._loss(window, window.states[member]))
            self.module.train()
        return result

    def kept(self) -> Kept:
        """Weights and what the next update depends on, as they are now."""
        return {"weights": self.weights.detach().numpy().copy(), **self.saved()}

    def return_to(self, kept: Kept) -> None:
        """Go back to what `kept` gave; updates are counted on."""
        updates = self.updates
        with torch.no_grad():
            self.weights.copy_(torch.from_numpy(kept["weights"]))
        self.take_up({name: array for name, array in kept.items() if name != "weights"})
        self.updates = updates

    def _loss(self, window: TickWindow, state: State) -> torch.Tensor:
        x_RTC, label_RTK = torch.from_numpy(window.x_RTC), torch.from_numpy(window.label_RTK)
        before = [(torch.from_numpy(h)[None], torch.from_numpy(c)[None]) for h, c in state]
        hidden_RTD, _ = self.module.hidden(x_RTC, before)
        raw_RTKR = self.module.raw(hidden_RTD, x_RTC)[:, :, 0]
        return sums(self.criterion, raw_RTKR, label_RTK, None, None).mean()

    def _refused(self, loss: float, norm: float) -> str | None:
        """Why there is no update. The usual norm follows what comes, so that a lasting change is
        learned after all."""
        if not (math.isfinite(loss) and math.isfinite(norm)):
            return f"the loss is {loss:g} and its gradient {norm:g} long"
        usual, settled = self.usual, self.updates >= SETTLED
        if settled and norm > EXPLODES * usual > 0:
            self.usual *= 2
            return f"its gradient is {norm:.3g} long, and {usual:.3g} is usual"
        self.usual += (norm - usual) / min(self.updates + 1, 50)
        return None

    def saved(self) -> dict[str, NDArray]:
        """Everything that the next update depends on but the weights."""
        state = self.optimiser.state_dict()["state"].get(0, {})
        moments = {
            f"moment_{name}": np.array(torch.as_tensor(value).numpy())
            for name, value in state.items()
        }
        return {"updates": np.array(self.updates), "usual": np.array(self.usual), **moments}

    def take_up(self, saved: dict[str, NDArray]) -> None:
        """What `saved` gave; KeyError where something is missing."""
        self.updates, self.usual = int(saved["updates"]), float(saved["usual"])
        moments = {
            name.removeprefix("moment_"): part
            for name, part in saved.items()
            if name.startswith("moment_")
        }
        with training_settings():
            parts = {name: torch.from_numpy(part.copy()) for name, part in moments.items()}
            groups = self.optimiser.state_dict()["param_groups"]
            state = {0: parts} if parts else {}
            self.optimiser.load_state_dict({"state": state, "param_groups": groups})


def fresh_arrays(config: NetworkConfig, head: Head, seed: int) -> dict[str, NDArray]:
    """Weights of a new network."""
    with training_settings(), torch.random.fork_rng(devices=()):
        torch.manual_seed(int(np.random.default_rng([seed, 0]).integers(2**63)))
        return arrays_from_state(NetworkModule(config, head).state_dict(), config)
