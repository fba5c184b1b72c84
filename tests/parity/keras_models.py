"""Run by test_interop_parity in a process of its own: models of Keras, made and, when a line has
come, read back.

python keras_models.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from lstmcast.interop.keras import from_keras

if __name__ == "__main__":  # not where pytest looks for doctests
    import keras
    from keras import layers as L

B, T = 4, 9
STACKED = {"return_sequences": True}


def series(columns):
    return (
        np.random.default_rng(columns).normal(size=(B, T, columns)).astype(np.float32)
    )


def sequential(columns, *layers):
    return keras.Sequential([keras.Input((None, columns)), *layers])


def functional():
    x = keras.Input((None, 1), name="sales")
    y = L.LSTM(5, return_sequences=True, name="lower")(x)
    y = L.LSTM(4, name="upper")(L.Dropout(0.1)(y))
    return keras.Model(x, L.Dense(3, name="answer")(y))


def branch():
    x = keras.Input((None, 1))
    return keras.Model(x, L.Dense(1)(L.Concatenate()([L.LSTM(5)(x), L.LSTM(4)(x)])))


MODELS = {
    "one": lambda: sequential(1, L.LSTM(8), L.Dense(1)),
    "stacked": lambda: sequential(
        1, L.LSTM(5, **STACKED), L.LSTM(4, **STACKED), L.LSTM(3), L.Dense(12)
    ),
    "sequences": lambda: sequential(
        1, L.LSTM(5, **STACKED), L.LSTM(4, **STACKED), L.Dense(2)
    ),
    "dense": lambda: sequential(
        1,
        L.Dense(6, "tanh"),
        L.LSTM(5, return_sequences=True, dropout=0.1, recurrent_dropout=0.1),
        L.Dropout(0.2),
        L.LSTM(4),
        L.Dense(7, "tanh"),
        L.Dropout(0.2),
        L.Dense(3),
    ),
    "relu": lambda: sequential(
        1, L.LSTM(6), L.Dense(7, "relu"), L.Dense(5, "relu"), L.Dense(2)
    ),
    "columns": lambda: sequential(3, L.LSTM(6, unit_forget_bias=False), L.Dense(6)),
    "functional": functional,
    "distributed": lambda: sequential(
        2, L.LSTM(6, return_sequences=True), L.TimeDistributed(L.Dense(4))
    ),
    "unbiased": lambda: sequential(
        1, L.LSTM(6, use_bias=False), L.Dense(2, use_bias=False)
    ),
    "bare": lambda: sequential(1, L.LSTM(3)),
    "relu_lstm": lambda: sequential(1, L.LSTM(4, activation="relu"), L.Dense(1)),
    "hard": lambda: sequential(
        1,
        L.LSTM(6, activation="softsign", recurrent_activation="hard_sigmoid"),
        L.Dense(4, "elu"),
        L.Dense(3),
        L.Activation("linear"),
    ),
    "curved": lambda: sequential(1, L.LSTM(3), L.Dense(2, "tanh")),
}
OTHERS = {
    "bidirectional": lambda: sequential(1, L.Bidirectional(L.LSTM(4)), L.Dense(1)),
    "gru": lambda: sequential(1, L.GRU(4), L.Dense(1)),
    "branch": branch,
    "swish_lstm": lambda: sequential(1, L.LSTM(4, activation="swish"), L.Dense(1)),
}


def answer(model):
    return keras.ops.convert_to_numpy(model(series(model.input_shape[-1])))


def save(folder):
    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(7)
    for name, make in MODELS.items():
        model = make()
        model.set_weights(
            [array + rng.normal(0, 0.2, array.shape) for array in model.get_weights()]
        )
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")
        np.savez(folder / f"{name}.weights.npz", *model.get_weights())
        np.save(folder / f"{name}.answer.npy", answer(model))
        live, filed = (
            from_keras(source).members[0]
            for source in (model, folder / f"{name}.keras")
        )
        if not all(np.array_equal(live[key], filed[key]) for key in live | filed):
            raise AssertionError(f"{name}: the model and its file differ")
    (folder / "live").write_text("same")
    for name, make in OTHERS.items():
        for ending in ("keras", "h5"):
            make().save(folder / f"{name}.{ending}")
            (folder / f"{name}.{ending}").rename(folder / f"{name}.{ending}_")


def load(folder):
    for path in folder.glob("*.back.keras"):
        name = path.name.removesuffix(".back.keras")
        model = keras.models.load_model(path)
        np.save(folder / f"{name}.load_model.npy", answer(model))
        for ending in ("weights.h5", "h5"):
            other = keras.models.clone_model(model)
            other.load_weights(folder / f"{name}.back.{ending}")
            np.save(folder / f"{name}.{ending}.npy", answer(other))
        other = keras.models.clone_model(model)
        with np.load(folder / f"{name}.back.npz") as arrays:
            other.set_weights([arrays[key] for key in arrays])
        np.save(folder / f"{name}.set_weights.npy", answer(other))


if __name__ == "__main__":
    save(Path(sys.argv[1]))
    sys.stdout.write("saved\n")
    sys.stdout.flush()
    if sys.stdin.readline():  # the end of the input, where the test gave up
        load(Path(sys.argv[1]))
