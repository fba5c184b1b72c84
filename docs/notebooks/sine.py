# %% [markdown]
# # Sine and beats: an LSTM that goes on alone for 200 steps
#
# A network reads cycles of a wave, learns the next value, and then continues the wave from its
# own predictions. More about the article behind it: [Sine and beats](../articles/sine.md).
#
# サイン波の次の値を学習したネットワークが、自分の予測だけを入力にして200ステップ先まで進みます。
# 2つの波を足した「うなり」でも同じことをします。
# 日本語の説明は[サイン波とうなりのページ](../ja/articles/sine.md)にあります。

# %% [markdown]
# ## Install
#
# `lstmcast` is not on a package index yet. Run one of these in a cell of its own, once:
#
# ```
# %pip install '../..[train]'       # this notebook in a clone of the repository
# %pip install 'FILE.whl[train]'    # elsewhere: a wheel, uploaded beside it (by `make wheel`)
# ```

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

import lstmcast as lc

# %% [markdown]
# ## The data
#
# A sine of 80 steps a cycle, and for the exercise the sum of two waves. The last 200 steps are
# held back.

# %%
CYCLE, STEPS = 80, 200

angle = 2 * np.pi * np.arange(50 * CYCLE + STEPS) / CYCLE
sine = np.sin(angle)

angle = 2 * np.pi * np.arange(200 * CYCLE + STEPS) / CYCLE
beats = 3 * np.sin(5 * angle) - 5 * np.cos(3 * angle)

figure, axes = plt.subplots(2, 1, figsize=(9, 4), sharex=True, layout="constrained")
for ax, values, name in zip(axes, (sine, beats), ("sine", "beats"), strict=True):
    ax.plot(values[: 4 * CYCLE])
    ax.set_title(f"{name}, the first four cycles")
plt.show()

# %% [markdown]
# ## Network and training
#
# A network that has only ever read true values was never asked to live with its own errors. So
# each segment of this training, a `Rollout`, is two cycles long: at first all its inputs are
# true, and as training goes on more and more of the second cycle are the network's own
# predictions.

# %% settings
network = lc.NetworkConfig(
    layers=(48,),
    inputs=lc.Transformed(lc.MinMax(low=-3.0, high=3.0)),
    head="point",
    horizon=1,
)
training = lc.TrainingConfig(
    epochs=40,
    batch_size=32,
    steps_per_epoch=10,
    batching=lc.Rollout(160, support=160, support_end=80),
    optimiser=lc.Optimiser(
        "adam", learning_rate=0.007, clip=1.0, schedule=lc.Schedule("cosine")
    ),
    loss=lc.Loss("mse"),
    validation=lc.Validation(share=0.1, most=64),
    average=lc.Ema(0.98),
)
epochs = {"sine": 40, "beats": 60}

# %%
print(
    [training.batching.at(done)[0] for done in (0.0, 0.5, 1.0)],
    "true inputs, from first to last",
)
print(lc.summary(network))


# %%
def fitted(name, values):
    """A network that was trained on all but the last 200 values."""
    panel = lc.Panel.from_arrays({name: values[:-STEPS]})
    forecaster = lc.LSTMForecaster(
        horizon=STEPS,
        weights="scratch",
        network=network,
        training=replace(training, epochs=epochs[name]),
    )
    return forecaster.fit(panel, callbacks=[lc.SaveBest("improvements")])


model = fitted("sine", sine)
print(model.history)

# %% [markdown]
# `SaveBest` has written the model each time the validation loss improved, in folders that carry
# epoch and losses in their names; `lc.load` reads each of them. `fit` returns the best one.
#
# ## Learning curve


# %%
def draw_learning(model):
    _, ax = plt.subplots(figsize=(8, 3.5))
    lc.LearningCurve.from_history(model.history).draw(ax, log=True)
    ax.legend()
    plt.show()


draw_learning(model)

# %% [markdown]
# ## One step ahead
#
# Each value from the true ones before it. This is easy: most of the next value is in the last
# two.

# %%
one_step = model.predict(mode="one-step").point[-STEPS:, 0]
true = sine[:-STEPS][-STEPS:]
print(f"RMSE one step ahead: {np.sqrt(np.mean((one_step - true) ** 2)):.4f}")

# %% [markdown]
# ## 200 steps, fed back
#
# From the last true value on the network reads what it says itself.


# %%
def draw_free_run(model, values):
    true, free = values[-STEPS:], model.predict(mode="recursive").point[0]
    _, (ax, below) = plt.subplots(
        2, 1, figsize=(9, 4.5), sharex=True, height_ratios=(3, 1), layout="constrained"
    )
    ax.plot(true, color="tab:red", linewidth=3.5, alpha=0.5, label="true")
    ax.plot(free, color="tab:blue", linestyle="--", label="predicted")
    ax.legend(loc="lower left")
    below.plot(free - true)
    below.set_ylabel("error")
    error = np.sqrt(np.mean((free - true) ** 2))
    print(
        f"RMSE of {STEPS} steps: {error:.4f}, {error / np.abs(values).max():.2%} of the amplitude"
    )
    plt.show()


draw_free_run(model, sine)

# %% [markdown]
# ## The exercise: beats
#
# The same network and the same training for more epochs, on the sum of two waves.

# %%
model = fitted("beats", beats)
print(model.history)
draw_learning(model)

# %%
draw_free_run(model, beats)

# %%
print(model.predict(horizon=100, mode="recursive").point.reshape(10, 10).round(2))

# %% [markdown]
# ## What to try next
#
# - The article's own training: `layers=(300,)`, `batching=lc.Windows(80, loss="last",
#   shuffle="once")`, RMSprop, or `lstmcast example sine --faithful` on the command line. It is
#   slower, and its free run drifts further.
# - `support_end=` of the rollout: how many inputs stay true at the end of the training.
# - A wave with noise, or a series of your own: `lc.read("your.csv")`.
# - A GPU: `forecaster.fit(panel, device="cuda")`, after the runtime was changed to one.
