"""Bare PyTorch loops: what training costs with nothing around it. Other benchmarks measure beside
them.

They are written for speed: the data are one tensor, windows are gathered by index, and no number is
taken out of PyTorch but the validation loss that each epoch of the second one needs.

B batch · T time · D units · H horizon
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

Pair = tuple[Tensor, Tensor]  # inputs and labels, each (T, 1)


class BareWindows:
    """Random windows of one tensor: the last state is answered by a linear layer; Adam on the
    squared error."""

    def __init__(
        self,
        values: Tensor,
        starts: Tensor,
        *,
        layers: int,
        units: int,
        window: int,
        horizon: int,
        batch: int,
    ) -> None:
        self.values, self.starts, self.window, self.batch = (
            values,
            starts,
            window,
            batch,
        )
        self.lstm = nn.LSTM(1, units, layers, batch_first=True)
        self.head = nn.Linear(units, horizon)
        self.optimiser = torch.optim.Adam(
            [*self.lstm.parameters(), *self.head.parameters()], lr=1e-3
        )
        self.steps = torch.arange(window + horizon)

    def train(self, steps: int) -> None:
        """So many updates."""
        for _ in range(steps):
            start_B = self.starts[torch.randint(len(self.starts), (self.batch,))]
            y_BT = self.values[start_B[:, None] + self.steps]
            hidden_BTD, _ = self.lstm(y_BT[:, : self.window, None])
            loss = nn.functional.mse_loss(
                self.head(hidden_BTD[:, -1]), y_BT[:, self.window :]
            )
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()


class BareSequence:
    """Stacked layers that read one whole sequence in each epoch, then the validation sequence;
    RMSprop."""

    def __init__(self, training: Pair, validation: Pair, layers: Sequence[int]) -> None:
        self.training, self.validation = training, validation
        self.lstm = nn.ModuleList(
            nn.LSTM(a, b) for a, b in zip((1, *layers), layers, strict=False)
        )
        self.head = nn.Linear(layers[-1], 1)
        parameters = [*self.lstm.parameters(), *self.head.parameters()]
        self.optimiser = torch.optim.RMSprop(parameters, lr=1e-2, alpha=0.99)

    def train(self, epochs: int) -> list[float]:
        """The validation loss after each epoch."""
        found = []
        for _ in range(epochs):
            loss = self.loss(*self.training)
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            with torch.no_grad():
                found.append(float(self.loss(*self.validation)))
        return found

    def loss(self, x_TC: Tensor, label_TC: Tensor) -> Tensor:
        """Mean squared error of one reading from a fresh state."""
        for layer in self.lstm:
            x_TC, _ = layer(x_TC[:, None])
            x_TC = x_TC[:, 0]
        return nn.functional.mse_loss(self.head(x_TC), label_TC)
