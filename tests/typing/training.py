"""Train, save, load, follow a stream: what a type checker knows of it."""

from typing import assert_type

import numpy as np

import lstmcast as lc

network = lc.NetworkConfig(layers=(16, 8), head="normal")
assert_type(network.layers, tuple[int, ...])

training = lc.TrainingConfig(
    epochs=5,
    batching=lc.Windows(length=24, loss="every"),
    optimiser=lc.Optimiser("adam", learning_rate=1e-3, clip=1.0),
    validation=lc.Validation(steps=12),
)
assert_type(training.epochs, int)

model = lc.LSTMForecaster(12, weights="scratch", network=network, training=training)
panel = lc.Panel.from_arrays({"a": np.arange(48.0)}, frequency="MS", start="2020-01")
fitted = model.fit(panel, callbacks=[lc.PrintTable()])
assert_type(fitted, lc.LSTMForecaster)
assert_type(fitted.history, lc.History)
assert_type(fitted.save("model"), None)
assert_type(lc.load("model"), lc.LSTMForecaster)

lc.TrainingConfig(epoch=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
lc.NetworkConfig(layers="16")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# Losses and schedules may be given by name, and are read as what they are.
named = lc.TrainingConfig(loss="mae", optimiser=lc.Optimiser(schedule="cosine"))
assert_type(named.loss, lc.Loss)
assert_type(named.optimiser.schedule, lc.Schedule)
lc.TrainingConfig(
    loss=lc.Loss("huber", delta=2.0), optimiser=lc.Optimiser(schedule=lc.Schedule())
)
lc.Learning(loss="mse")
lc.TrainingConfig(loss="least")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
