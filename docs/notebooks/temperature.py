# %% [markdown]
# # Temperature: from a CSV file to the next five days
#
# Read a file, standardise, cut windows of 20 days, train with early stopping and a checkpoint,
# predict five days. The temperatures are simulated: a yearly cycle, and weather that lasts for
# some days. More about the article behind it: [Temperature from a CSV
# file](../articles/temperature.md).
#
# CSVファイルから日平均気温を読み込み、20日の窓で学習して、次の5日間を予測します。
# 早期終了とチェックポイントも使います。
# 日本語の説明は[気温のページ](../ja/articles/temperature.md)にあります。

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
import csv

import matplotlib.pyplot as plt
import numpy as np

import lstmcast as lc

# %% [markdown]
# ## The data
#
# Four years of days. Three quarters of a deviation from the yearly cycle are left on the next
# day.

# %%
DAYS, AHEAD = 1461, 5

rng = np.random.default_rng([0, 5])
weather, shocks = np.zeros(DAYS), 2.5 * rng.normal(size=DAYS)
for day in range(DAYS):
    weather[day] = (
        0.75 * weather[day - 1] * (day > 0) + np.sqrt(1 - 0.75**2) * shocks[day]
    )
yearly = 16 + 10 * np.cos(2 * np.pi * (np.arange(DAYS) - 50) / 365.25)
dates = np.datetime64("2020-06-06") + np.arange(DAYS)

with open("temperature.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["date", "temperature"])
    writer.writerows(zip(dates, np.round(yearly + weather, 1), strict=True))

# %% [markdown]
# `lc.read` finds delimiter, dates and columns by itself, and says what it did.

# %%
panel = lc.read("temperature.csv")
panel

# %% [markdown]
# The last fifth of the days tests, the fifth before it validates, what comes first is trained on.

# %%
TEST = DAYS // 5

times, values = panel.times(0), panel.values
figure, ax = plt.subplots(figsize=(9, 3))
parts = {"training": (0, DAYS - 2 * TEST), "validation": (DAYS - 2 * TEST, DAYS - TEST)}
for name, (first, last) in {**parts, "test": (DAYS - TEST, DAYS)}.items():
    ax.plot(times[first:last], values[first:last], linewidth=1, label=name)
ax.set_ylabel("degrees Celsius")
ax.legend(ncols=3, loc="upper left", bbox_to_anchor=(0, 1.15))
plt.show()

# %% [markdown]
# ## Network and training
#
# Mean and spread of `lc.Standard()` are those of the training part. With `loss="every"` each step
# of a window is a target, not the last one alone: the same data teach more.

# %% settings
network = lc.NetworkConfig(
    layers=(32,), inputs=lc.Transformed(lc.Standard()), head="point", horizon=1
)
training = lc.TrainingConfig(
    epochs=20,
    batch_size=32,
    batching=lc.Windows(20, loss="every"),
    optimiser=lc.Optimiser(
        "adam", learning_rate=0.003, clip=1.0, schedule=lc.Schedule("cosine")
    ),
    validation=lc.Validation(steps=292),
    patience=5,
    average=lc.Ema(0.98),
)

# %%
print(lc.summary(network))

# %%
known = panel.until(panel.lengths - TEST)
forecaster = lc.LSTMForecaster(
    horizon=AHEAD, weights="scratch", network=network, training=training
)
model = forecaster.fit(known, callbacks=[lc.SaveBest("best", only=True)])
print(model.history)

# %% [markdown]
# ## Learning curve

# %%
figure, ax = plt.subplots(figsize=(8, 3.5))
lc.LearningCurve.from_history(model.history).draw(ax)
ax.legend()
plt.show()

# %% [markdown]
# ## One day ahead
#
# Each day of the test part from the observed days before it, beside *tomorrow is like today*.


# %%
def rmse(forecast, actual):
    return np.sqrt(np.mean((forecast - actual) ** 2))


one_step = model.predict(panel, mode="one-step").point[-TEST:, 0]
print(f"network          {rmse(one_step, values[-TEST:]):.2f} °C")
print(f"last known value {rmse(values[-TEST - 1 : -1], values[-TEST:]):.2f} °C")

# %% [markdown]
# ## Five days, fed back
#
# From every day of the test part. A forecast knows its dates, and comes in degrees.

# %%
cutoffs = np.arange(DAYS - TEST, DAYS - AHEAD + 1)
forecast = model.predict(panel, cutoffs=cutoffs[None], mode="recursive")
actual = values[cutoffs[:, None] + np.arange(AHEAD)]
last = values[cutoffs - 1]

print("days ahead        1     2     3     4     5")
errors = {
    "network": [rmse(forecast.point[:, h], actual[:, h]) for h in range(AHEAD)],
    "last known": [rmse(last, actual[:, h]) for h in range(AHEAD)],
}
for name, row in errors.items():
    print(f"{name:12}", "".join(f"{error:6.2f}" for error in row))

# %%
figure, ax = plt.subplots(figsize=(8, 3.5))
ax.plot(times[-40:], values[-40:], marker="o", markersize=3, label="observed")
ax.plot(
    forecast.times[-1], forecast.point[-1], marker="o", markersize=4, label="predicted"
)
ax.plot(
    forecast.times[-1],
    np.full(AHEAD, last[-1]),
    linestyle="--",
    label="last known value",
)
ax.set_ylabel("degrees Celsius")
ax.legend()
plt.show()

# %%
for date, predicted, true in zip(
    forecast.times[-1], forecast.point[-1], actual[-1], strict=True
):
    print(f"{str(date)[:10]}  predicted {predicted:5.1f}  true {true:5.1f}")

# %% [markdown]
# What comes from the yearly cycle is known, what comes from the shocks of the next days cannot
# be: with each day ahead the forecast comes closer to what is usual at that time of the year.
#
# ## What to try next
#
# - Your own file: `lc.read("your.csv")`.
# - The course's own settings: 101 days, `layers=(20,)`, `initialiser="zeros"`, `patience=2`, or
#   `lstmcast example temperature --faithful` on the command line.
# - The shipped network, which needs no training: `lc.LSTMForecaster(horizon=5).predict(panel)`.
# - `lc.load("best")`: the checkpoint, which is a model as any other.
