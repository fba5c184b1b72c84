"""Changes of files and saved models by chance: each follows from a number, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

# What is put in the place of a value of a manifest.
JUNK: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2**31, 2**63, 2**70, -(2**63), 0.5, 1e308, -1e-308),
    *(
        "",
        "x",
        "MS",
        "integer",
        "9" * 400,
        "\u0000",
        "\ud800",
        [],
        [[]],
        [0],
        {},
        {"a": 1},
    ),
)
# Pieces that files of tables are made of, and some that they are not.
PIECES = (
    *(
        b",",
        b";",
        b"\t",
        b"|",
        b"\n",
        b"\r\n",
        b"\r",
        b'"',
        b"'",
        b" ",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
    ),
    *(
        b"2024-01-01",
        b"2024-02-30",
        b"01/02/2024",
        b"1e999",
        b"-",
        b"NaN",
        b"1.234,5",
        b"$(1,000)",
    ),
    *(
        b"2024-W53",
        b"2024Q5",
        b"99999999999999999999",
        b"=1+1",
        b"PAR1",
        b"PK\x03\x04",
        b"\x1f\x8b",
    ),
    *(
        "売上".encode("cp932"),
        "é".encode("latin-1"),
        "令和6年3月".encode(),
        b"unique_id",
        b"ds",
        b"y",
    ),
)


def changed_bytes(raw: bytes, seed: int) -> bytes:
    """Contents of a file with a few changes: pieces put in, taken out, repeated or exchanged."""
    rng, made = np.random.default_rng(seed), bytearray(raw)
    for _ in range(rng.integers(1, 9)):
        at = int(rng.integers(0, len(made) + 1))
        until = min(len(made), at + int(rng.integers(0, 40)))
        piece = PIECES[rng.integers(len(PIECES))]
        match rng.integers(6):
            case 0:
                made[at:at] = piece
            case 1:
                del made[at:until]
            case 2:
                made[at:until] = piece
            case 3:
                made[at:at] = made[at:until] * int(rng.integers(1, 20))
            case 4 if at < len(made):
                made[at] ^= 1 << rng.integers(8)
            case _:
                made = made[:at] if rng.random() < 0.3 else made
    return bytes(made)


def changed_model(
    manifest: dict[str, Any], groups: dict[str, dict[str, np.ndarray]], seed: int
) -> tuple[dict[str, Any], dict[str, dict[str, np.ndarray]]]:
    """What a folder holds with one thing in it changed, of the manifest or of the arrays."""
    rng = np.random.default_rng(seed)
    manifest, groups = (
        copy.deepcopy(manifest),
        {k: dict(group) for k, group in groups.items()},
    )
    if rng.random() < 0.5:
        _change_within(manifest, rng)
    else:
        # in an order that every process has
        group = groups[sorted(groups)[rng.integers(len(groups))]]
        name = sorted(group)[rng.integers(len(group))]
        _change_array(group, name, rng)
    return manifest, groups


def _change_within(value: Any, rng: np.random.Generator) -> None:
    """Change one value somewhere within nested ones."""
    while True:
        places = sorted(value) if isinstance(value, dict) else list(range(len(value)))
        place = places[rng.integers(len(places))]
        below = value[place]
        if isinstance(below, (dict, list)) and below and rng.random() < 0.8:
            value = below
            continue
        if rng.random() < 0.2:
            del value[place]
        else:
            value[place] = JUNK[rng.integers(len(JUNK))]
        return


def _change_array(
    group: dict[str, np.ndarray], name: str, rng: np.random.Generator
) -> None:
    array = np.array(group[name])
    match rng.integers(7):
        case 0:
            del group[name]
            return
        case 1:
            array = array[: len(array) // 2] if array.ndim else array
        case 2:
            array = np.concatenate([array, array]) if array.ndim else array
        case 3:
            with np.errstate(all="ignore"):
                array = array.astype(
                    [np.float32, np.int64, np.uint8, bool][rng.integers(4)]
                )
        case 4:
            array = array.reshape(-1)[::-1].copy()
        case 5:
            array = array[..., None]
        case _:
            flat = array.reshape(-1)
            wrong = [np.nan, np.inf, -1e300, 2.0**62, -1.0, 0.0][rng.integers(6)]
            if len(flat):
                with np.errstate(all="ignore"):
                    chosen = rng.random(len(flat)) < [0.01, 1.0][rng.integers(2)]
                    chosen[rng.integers(len(flat))] = True
                    flat[chosen] = np.array(wrong).astype(array.dtype)
            array = flat.reshape(array.shape)
    group[name] = array
