# %% [markdown]
# # Airline passengers: differences, scaling, an LSTM, months ahead
#
# 144 months of airline passengers, of which the last 43 are held back. Three small LSTM networks
# that differ in their transforms only, and the network that comes with `lstmcast`, forecast them:
# each month from the observed months before it, and all 43 from the end of the training part,
# each forecast read as the next input. More about the article behind it: [Airline
# passengers](../articles/airline.md).
#
# 国際線の航空旅客数144か月のうち、最後の43か月を除いて小さなLSTMをいくつか学習し、
# 同梱の学習済みモデルと比べます。
# 観測値から翌月を予測する場合と、自分の予測を入力に戻して43か月先まで予測する場合の両方を試します。
# 日本語の説明は[航空旅客数のページ](../ja/articles/airline.md)にあります。

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
from lstmcast.data.examples import airline

# %% [markdown]
# ## The data
#
# The series comes with the package. Your own file is read with `lc.read("airline.csv")`: titles,
# notes and blank lines around the table are dropped, and named.

# %%
panel = airline()
panel

# %% [markdown]
# The changes from month to month grow with the level. In logarithms they stay the same size.

# %%
HELD_BACK = 43  # months at the end, which no network below is trained on

times, passengers = panel.times(0), panel.values
figure, axes = plt.subplots(3, 1, figsize=(9, 7), sharex=True, layout="constrained")
axes[0].plot(times, passengers)
axes[1].plot(times[1:], np.diff(passengers))
axes[2].plot(times[1:], np.diff(np.log(passengers)))
names = (
    "passengers, thousands a month",
    "change from month to month",
    "change of the logarithm",
)
for ax, name in zip(axes, names, strict=True):
    ax.set_title(name)
    ax.axvline(times[-HELD_BACK - 1], color="gray", linestyle="--")
plt.show()

# %% [markdown]
# ## Networks and training
#
# One LSTM layer, several ways to prepare its inputs. Units, windows and epochs were chosen within
# the training part. What a transform has to learn, such as a mean, it learns from the training
# part. Forecasts come back in passengers: the way back is part of the model.

# %% settings
networks = {
    "differences": lc.NetworkConfig(
        layers=(16,),
        inputs=lc.Transformed(lc.Difference(), lc.Standard()),
        head="point",
        horizon=1,
    ),
    "logarithms, differences": lc.NetworkConfig(
        layers=(16,),
        inputs=lc.Transformed(lc.Log1p(), lc.Difference(), lc.Standard()),
        head="point",
        horizon=1,
    ),
    "logarithms, yearly differences": lc.NetworkConfig(
        layers=(8,),
        inputs=lc.Transformed(lc.Log1p(), lc.Difference(12), lc.Standard()),
        head="point",
        horizon=1,
    ),
}
windows = {
    "differences": lc.Windows(12, loss="every"),
    "logarithms, differences": lc.Windows(24, loss="every"),
    "logarithms, yearly differences": lc.Windows(12, loss="every"),
}
epochs = {
    "differences": 120,
    "logarithms, differences": 120,
    "logarithms, yearly differences": 60,
}
training = lc.TrainingConfig(
    epochs=120,
    batch_size=16,
    batching=lc.Windows(12, loss="every"),
    optimiser=lc.Optimiser(
        "adam", learning_rate=0.005, clip=1.0, schedule=lc.Schedule("cosine")
    ),
    validation=None,
    average=lc.Ema(0.98),
)

# %%
print(lc.summary(networks["differences"]))

# %% [markdown]
# `panel.until` ends the series where the training part ends: the networks never see what comes
# after.

# %%
known = panel.until(panel.lengths - HELD_BACK)
models = {}
for name, network in networks.items():
    forecaster = lc.LSTMForecaster(
        horizon=1,
        weights="scratch",
        network=network,
        training=replace(training, batching=windows[name], epochs=epochs[name]),
    )
    models[name] = forecaster.fit(known)
    print(f"{name}: {models[name].history}")

# %% [markdown]
# ## Learning curve
#
# The members of one model start from different weights; their forecasts are averaged.

# %%
figure, ax = plt.subplots(figsize=(8, 3.5))
lc.LearningCurve.from_history(models["logarithms, yearly differences"].history).draw(
    ax, log=True
)
ax.legend()
plt.show()

# %% [markdown]
# ## One step ahead, and fed back
#
# `mode="one-step"` forecasts each month from the observed months before it. `mode="recursive"`
# starts at the end of the training part and reads its own forecasts from there on. The shipped
# network needs no training; it was trained on other series, and on none of these months.

# %%
models["shipped network"] = lc.LSTMForecaster(horizon=12)
models["shipped network, fine-tuned"] = lc.LSTMForecaster(horizon=12).fit(known)

cutoffs = (panel.lengths - HELD_BACK)[:, None]
one_step, fed_back = {}, {}
for name, model in models.items():
    one_step[name] = model.predict(panel, mode="one-step").point[-HELD_BACK:, 0]
    fed_back[name] = model.predict(
        panel, HELD_BACK, cutoffs=cutoffs, mode="recursive"
    ).point[0]

# %%
figure, axes = plt.subplots(
    len(models), 2, figsize=(11, 11), sharex=True, sharey=True, layout="constrained"
)
for row, name in zip(axes, models, strict=True):
    for ax, forecast in zip(row, (one_step[name], fed_back[name]), strict=True):
        ax.plot(times[-80:], passengers[-80:], color="gray", label="observed")
        ax.plot(times[-HELD_BACK:], forecast, label="forecast")
        ax.set_title(name)
figure.suptitle("Left: each month from those before it. Right: 43 months, fed back.")
axes[0, 0].legend()
plt.show()


# %%
def rmse(forecast):
    return np.sqrt(np.mean((forecast - passengers[-HELD_BACK:]) ** 2))


print(f"{'RMSE of the 43 months':32}{'one step':>10}{'fed back':>10}")
for name in models:
    print(f"{name:32}{rmse(one_step[name]):10.1f}{rmse(fed_back[name]):10.1f}")

# %% [markdown]
# One step ahead, logarithms help: the growing swings are a constant share of the level. Fed back,
# each error is read again as if it were true, for 43 months. A model that is good at the one need
# not be good at the other: compare the columns.
#
# ## The months after the data
#
# With intervals, which are as wide as errors at held-out cutoffs say:

# %%
forecast = models["shipped network"].predict(panel)
figure = lc.ForecastPlot.from_forecast(forecast, panel).figure()
figure

# %% [markdown]
# ## What to try next
#
# - `lc.read("your.csv")` in the place of `airline()`.
# - The article's own network: `layers=(5, 4, 3)`, `batching=lc.WholeSequence()`,
#   `lc.Difference()` and `lc.MinMax()`, or `lstmcast example airline --faithful` on the command
#   line.
# - `lc.backtest(lc.LSTMForecaster(horizon=12), panel, cutoffs=5).summary()`: accuracy beside
#   simple forecasts.
# - `model.save("folder")` and `lc.load("folder")`.
