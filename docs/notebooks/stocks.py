# %% [markdown]
# # Stocks: one network, 400 prices, learning at each tick
#
# Values of 400 stocks arrive one tick after the other. One network is shared by all; each stock
# is a row of the batch and keeps its state; the network predicts and learns as the ticks come.
# More about the question and answer behind it: [Stocks](../articles/stocks.md).
#
# 400銘柄の価格が1ティックずつ届きます。1つのネットワークを全銘柄で共有し、
# 銘柄ごとに状態を持たせて、ティックが届くたびに予測し、学習します。
# 日本語の説明は[株価のページ](../ja/articles/stocks.md)にあります。

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
# Simulated: a market moves all prices, and six tenths of each return come again two ticks later.
# From the middle of the stream on the opposite comes, so that there is something to learn anew.
# Real prices have no such rule.

# %%
STOCKS, TICKS = 400, 2000
CHANGE = TICKS // 2  # from this tick on the rule is turned round
STOPS = 3 * TICKS // 8  # a copy of the network stops learning here

rng = np.random.default_rng([0, 400])
pull = rng.uniform(0.5, 1.5, STOCKS)
usual = 0.005 * np.exp(rng.normal(0, 0.3, STOCKS))
market, own = rng.normal(size=TICKS), rng.normal(size=(TICKS, STOCKS))
returns = usual * (0.6 * pull * market[:, None] + own) * 0.8
for tick in range(2, TICKS):
    returns[tick] += (0.6 if tick < CHANGE else -0.6) * returns[tick - 2]
prices = rng.uniform(20, 200, STOCKS) * np.exp(np.cumsum(returns, axis=0))

figure, ax = plt.subplots(figsize=(9, 3))
ax.plot(100 * prices[:, :5] / prices[0, :5], linewidth=1)
ax.axvline(CHANGE, color="gray", linestyle="--")
ax.set(title="Five of the stocks, the first price = 100", xlabel="tick")
plt.show()

# %% [markdown]
# ## Network and learning
#
# `lc.Running("returns")` reads each stock in units of its own recent past, which has to be known
# at the tick only. `chunk` is how many ticks the gradient goes back, from the state that each row
# had before them.

# %% settings
network = lc.NetworkConfig(
    layers=(16,), inputs=lc.Running(of="returns"), head="point", horizon=1
)
learning = lc.Learning(learning_rate=0.01, chunk=4)

# %%
print(lc.summary(network))

# %%
names = [f"stock{number:03}" for number in range(STOCKS)]
stream = lc.Stream(network, names, learning=learning)

# %% [markdown]
# ## Tick by tick
#
# `observe` compares what had been predicted with the tick, learns from it and reads on; it
# returns the errors, so each of them is a forecast's. The copy that `frozen` makes no longer
# learns.

# %%
learned, stopped = np.full((TICKS, STOCKS), np.nan), np.full((TICKS, STOCKS), np.nan)
copy = None
for tick in range(TICKS):
    learned[tick] = stream.observe(prices[tick]) / prices[max(tick - 1, 0)]
    if copy is not None:
        stopped[tick] = copy.observe(prices[tick]) / prices[tick - 1]
    if tick + 1 == STOPS:
        copy = stream.frozen()
print(stream)

# %% [markdown]
# ## Learning curve
#
# Errors of the next price, over 25 ticks and all stocks. The naive forecast is the last price. A
# forecaster that knows the rule has 80% of its error, and nothing can have less.

# %%
TOGETHER = 25
naive = np.full((TICKS, STOCKS), np.nan)
naive[1:] = np.diff(prices, axis=0) / prices[:-1]


def rolling(errors):
    return 100 * np.sqrt(np.mean(errors.reshape(-1, TOGETHER * STOCKS) ** 2, axis=1))


figure, ax = plt.subplots(figsize=(9, 3.5))
ticks = np.arange(1, TICKS // TOGETHER + 1) * TOGETHER
curves = {
    "naive: the last price": naive,
    "no longer learning": stopped,
    "learning": learned,
}
for name, errors in curves.items():
    ax.plot(ticks, rolling(errors), label=name)
ax.axvline(CHANGE, color="gray", linestyle="--", label="the rule turns round")
ax.set(xlabel="tick", ylabel="error, % of the price")
ax.legend(fontsize=8)
plt.show()

# %%
parts = {
    "before the change": slice(STOPS, CHANGE),
    "after it": slice(CHANGE + TICKS // 20, None),
}
for part, when in parts.items():
    root = {
        name: np.sqrt(np.mean(errors[when] ** 2)) for name, errors in curves.items()
    }
    for name in ("learning", "no longer learning"):
        print(
            f"{part:18} {name:20} {root[name] / root['naive: the last price']:.3f} of naive"
        )

# %% [markdown]
# ## One tick ahead, and several
#
# `predict()` forecasts the next tick of every stock, `predict(5)` five of them: what it says is
# fed back, and the state of the stream stays where it is.

# %%
print(stream.predict().shape, stream.predict(5).shape)
print("expected return of five stocks, %:")
print((100 * (stream.predict(5)[:5] / prices[-1, :5, None] - 1)).round(2))

# %% [markdown]
# ## Rows that join and leave, and a stream that goes on
#
# A row is a named series, not a place in a batch of fixed size. A saved stream goes on where it
# was.

# %%
stream.join(["new"])
stream.leave(["stock000"])
stream.save("stream")
again = lc.Stream.load("stream")
print(len(again.ids), "rows,", again.ticks, "ticks")

# %% [markdown]
# ## What to try next
#
# - The article's way to learn, `lc.Learning(learning_rate=1e-3, chunk=1, clip=None)`: a gradient
#   that goes back one tick does not see what comes again two ticks later. On the command line:
#   `lstmcast example stocks --faithful`.
# - Ticks with gaps: `nan` is a value that nobody knows.
# - The shipped network on the same ticks: `lc.Stream(lc.LSTMForecaster(horizon=5), names)`. It
#   learns nothing, and needs a history of some twenty ticks.
# - Several columns a stock: `lc.Running("returns", columns=8)`.
