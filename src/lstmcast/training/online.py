"""Online learning from the newest ticks of many rows by truncated backpropagation through time.

R rows · T ticks of a window · C inputs · K columns · D units · H horizon (one step)
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from lstmcast.model.heads import Head
from lstmcast.model.network import NetworkConfig
from lstmcast.training.losses import criterion, sums
from lstmcast.training.module import (
    Arrays,
    NetworkModule,
    arrays_from_state,
    module_from_arrays,
    parameter_name,
)
from lstmcast.training.optim import make_optimiser
from lstmcast.training.settings import seed_torch, training_settings
from lstmcast.training.weights import trained_weights
from lstmcast.training_config import Loss, Optimiser
from lstmcast.windows import TickWindow

Kept = Arrays  # what a learner goes back to

EXPLODES = 1000.0  # times the usual gradient
SETTLED = 10  # updates before which any gradient may be the usual one


class Learner:
    """A member of a network that learns.

    `arrays`: its weights, which share their memory with what is trained: an update is seen by
    whoever reads them.
    """

    def __init__(
        self,
        config: NetworkConfig,
        arrays: Arrays,
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
        self.clip = optimiser.clip
        self.seed = seed
        self.criterion = criterion(loss, head)
        # how many, and the usual norm of their gradients
        self.updates, self.usual = 0, 0.0

    @property
    def _gradient(self) -> torch.Tensor:
        assert self.weights.grad is not None
        return self.weights.grad

    def _parameter(self, name: str) -> NDArray:
        return self.module.get_parameter(parameter_name(name)).detach().numpy()

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
                seed_torch(np.random.default_rng([self.seed, member, self.updates]))
            loss = self._loss(window, member)
            if again:
                older_losses = [
                    self._loss(older_window, member) for older_window in again
                ]
                loss = (loss + torch.stack(older_losses).mean()) / 2
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
            loss = float(self._loss(window, member))
            self.module.train()
        return loss

    def kept(self) -> Kept:
        """Weights and what the next update depends on, as they are now."""
        return {"weights": self.weights.detach().numpy().copy(), **self.saved()}

    def return_to(self, snapshot: Kept) -> None:
        """Go back to what `kept` gave; updates are counted on."""
        updates = self.updates
        with torch.no_grad():
            self.weights.copy_(torch.from_numpy(snapshot["weights"]))
        self.take_up(snapshot)
        self.updates = updates

    def _loss(self, window: TickWindow, member: int) -> torch.Tensor:
        x_RTC = torch.from_numpy(window.x_RTC)
        label_RTK = torch.from_numpy(window.label_RTK)
        start = []
        for hidden_RD, cell_RD in window.states[member]:
            start.append(
                (torch.from_numpy(hidden_RD)[None], torch.from_numpy(cell_RD)[None])
            )
        hidden_RTD, _ = self.module.hidden(x_RTC, start)
        raw_RTHKR = self.module.raw(hidden_RTD, x_RTC)
        next_step_RTKR = raw_RTHKR[:, :, 0]
        return sums(self.criterion, next_step_RTKR, label_RTK, None, None).mean()

    def _refused(self, loss: float, norm: float) -> str | None:
        """Why there is no update. The usual norm follows what comes, so that a lasting change is
        learned after all."""
        if not (math.isfinite(loss) and math.isfinite(norm)):
            return f"the loss is {loss:g}, the norm of its gradient {norm:g}"
        usual_norm = self.usual
        if self.updates >= SETTLED and norm > EXPLODES * usual_norm > 0:
            self.usual *= 2
            return f"the norm of its gradient is {norm:.3g}, typically {usual_norm:.3g}"
        self.usual += (norm - usual_norm) / min(self.updates + 1, 50)
        return None

    def saved(self) -> Arrays:
        """Everything that the next update depends on but the weights."""
        arrays = {"updates": np.array(self.updates), "usual": np.array(self.usual)}
        state = self.optimiser.state_dict()["state"].get(0, {})
        for name, value in state.items():
            moment = torch.as_tensor(value)
            arrays[f"moment_{name}"] = np.array(moment.numpy())
        return arrays

    def take_up(self, saved: Arrays) -> None:
        """What `saved` gave; KeyError where something is missing."""
        self.updates = int(saved["updates"])
        self.usual = float(saved["usual"])
        with training_settings():
            moments = {}
            for name, array in saved.items():
                if name.startswith("moment_"):
                    moments[name.removeprefix("moment_")] = torch.from_numpy(
                        array.copy()
                    )
            groups = self.optimiser.state_dict()["param_groups"]
            state = {0: moments} if moments else {}
            self.optimiser.load_state_dict({"state": state, "param_groups": groups})


def fresh_arrays(config: NetworkConfig, head: Head, seed: int) -> Arrays:
    """Weights of a new network."""
    with training_settings(), torch.random.fork_rng(devices=()):
        seed_torch(np.random.default_rng([seed, 0]))
        module = NetworkModule(config, head)
        return arrays_from_state(module.state_dict(), config)
