# %% [markdown]
# # Sine and cosine together: several inputs, the same several outputs
#
# The next value of both variables is predicted from the current values of both, so the output can
# be fed back for ever. Judged by how the error grows with each step that is fed back. More about
# the article behind it: [Sine and cosine together](../articles/sine-cosine.md).
#
# 2つの変数の現在の値から、両方の次の値を予測します。
# 出力をそのまま入力に戻せるので、いつまでも先へ進めます。
# 日本語の説明は[サインとコサインのページ](../ja/articles/sine-cosine.md)にあります。

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
import matplotlib.pyplot as plt
import numpy as np

import lstmcast as lc

# %% [markdown]
# ## The data
#
# 200 points, the first three quarters for training. Two columns that are read together are a
# panel of two series.

# %%
POINTS, TRAINED, FREE = 200, 150, 20

t = np.linspace(0, 8 * np.pi, POINTS)
panel = lc.Panel.from_arrays({"sine": 0.8 * np.sin(2 * t), "cosine": 0.8 * np.cos(t)})
panel

# %%
figure, ax = plt.subplots(figsize=(9, 3))
for number, name in enumerate(panel.ids):
    ax.plot(panel.series(number), label=name)
ax.axvline(TRAINED - 0.5, color="gray", linestyle="--", label="end of training")
ax.legend(ncols=3, loc="upper left", bbox_to_anchor=(0, 1.15))
plt.show()

# %% [markdown]
# ## Network and training
#
# `columns=2` lets the network read and answer both. Each rollout of the training draws how many
# of its inputs are true, from one to all; the others are the network's own predictions. So it
# learns to go on alone from any start.

# %% settings
network = lc.NetworkConfig(
    layers=(48,),
    inputs=lc.Transformed(lc.MinMax(low=-3.0, high=3.0), columns=2),
    head="point",
    horizon=1,
    before=(32,),
    activation="tanh",
)
training = lc.TrainingConfig(
    epochs=72,
    batch_size=16,
    steps_per_epoch=10,
    batching=lc.Rollout(30, support=29, support_from=0),
    optimiser=lc.Optimiser(
        "adam",
        learning_rate=0.02,
        betas=(0.9, 0.98),
        clip=1.0,
        schedule=lc.Schedule("cosine"),
    ),
    loss=lc.Loss("mse"),
    validation=None,
    average=lc.Ema(0.98),
)

# %%
print(lc.summary(network))

# %%
forecaster = lc.LSTMForecaster(
    horizon=FREE, weights="scratch", network=network, training=training
)
snapshots = lc.SaveEvery("snapshots", epochs=20)
model = forecaster.fit(panel.until([TRAINED, TRAINED]), callbacks=[snapshots])
print(model.history)

# %% [markdown]
# ## Learning curve
#
# The loss is that of whatever was fed in, own predictions included: it is not comparable with
# one-step errors.

# %%
figure, ax = plt.subplots(figsize=(8, 3.5))
lc.LearningCurve.from_history(model.history).draw(ax, log=True)
ax.legend()
plt.show()

# %% [markdown]
# ## One step ahead
#
# From true values throughout, over the test part:

# %%
one_step = model.predict(panel, mode="one-step").point.reshape(2, -1)
for number, name in enumerate(panel.ids):
    error = one_step[number, -50:] - panel.series(number)[-50:]
    print(f"RMSE one step ahead, {name}: {np.sqrt(np.mean(error**2)):.4f}")

# %% [markdown]
# ## Errors by horizon
#
# Free runs of 20 steps from all offsets of the test part, after one observed step and after ten.
# After one, the network has to find the phase from two values, with an empty state.

# %%
errors = {}
for observed in (1, 10):
    cutoffs = range(TRAINED + observed, POINTS - FREE - 1)
    errors[observed] = lc.errors_by_horizon(
        model, panel, FREE, cutoffs, observed=observed
    )

figure, axes = plt.subplots(1, 2, figsize=(10, 3.5), sharey=True, layout="constrained")
for ax, (observed, table) in zip(axes, errors.items(), strict=True):
    for name in ("sine", "cosine", "total"):
        ax.plot(table["horizon"], table[name], marker=".", label=name)
    ax.set_title(f"after {observed} observed step{'s' * (observed > 1)}")
    ax.set(xlabel="steps fed back", xticks=table["horizon"][::3], ylim=(0, None))
axes[0].set_ylabel("RMSE")
axes[0].legend()
plt.show()

# %%
for observed, table in errors.items():
    total = np.sqrt(np.mean(table["total"] ** 2))
    print(f"RMSE of {FREE} steps fed back after {observed:2} observed: {total:.4f}")

# %% [markdown]
# A snapshot is a folder that can be loaded: the same errors, as training went on.

# %%
figure, ax = plt.subplots(figsize=(8, 3.5))
for epoch in range(20, training.epochs + 1, 20):
    saved = lc.load(f"snapshots/snapshot{epoch:04}")
    cutoffs = range(TRAINED + 10, POINTS - FREE - 1)
    table = lc.errors_by_horizon(saved, panel, FREE, cutoffs, observed=10)
    ax.semilogy(table["horizon"], table["total"], label=f"epoch {epoch}")
ax.set_xticks(range(1, FREE + 1, 3))
ax.set(
    title="Total error after ten observed steps", xlabel="steps fed back", ylabel="RMSE"
)
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% [markdown]
# ## 50 steps, past the end of the data
#
# 40 steps before the end, after ten observed ones:

# %%
begin, observed, ahead = POINTS - 50, 10, 50
known = lc.Panel.from_arrays(
    {
        name: panel.series(number)[begin : begin + observed]
        for number, name in enumerate(panel.ids)
    }
)
free = model.predict(known, ahead, mode="recursive").point
steps = begin + observed + np.arange(ahead)

figure, axes = plt.subplots(2, 1, figsize=(9, 4.5), sharex=True, layout="constrained")
for number, (ax, name) in enumerate(zip(axes, panel.ids, strict=True)):
    ax.plot(
        np.arange(begin, POINTS),
        panel.series(number)[begin:],
        "r",
        linewidth=3.5,
        alpha=0.5,
    )
    ax.plot(steps, free[number], marker=".")
    ax.axvline(steps[0] - 0.5, color="gray", linestyle="--")
    ax.set_ylabel(name)
axes[0].set_title(
    "red: the truth, blue: predicted, dashed: the end of the truth as input"
)
plt.show()

# %% [markdown]
# ## What to try next
#
# - Pure teacher forcing, as the article has it: `batching=lc.Rollout(10, support=10)`, or
#   `lstmcast example sine-cosine --faithful` on the command line. Its free runs are much worse
#   after one observed step.
# - Own columns that are predicted from each other: a panel of them, and `columns=` their number.
# - `forecaster.fit(panel, folder="checkpoints", resume=True)`: an interrupted training goes on
#   where it was.
