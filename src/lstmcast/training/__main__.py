"""`python -m lstmcast.training`: train a network like the shipped one, on synthetic series only."""

from __future__ import annotations

import argparse
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lstmcast import store
from lstmcast.model.network import Network, NetworkConfig, described
from lstmcast.training.pretraining import (
    PretrainedMember,
    PretrainingConfig,
    pretrain_members,
)
from lstmcast.util.config import adapter


def _options() -> argparse.Namespace:
    """The options of the command line."""
    defaults = PretrainingConfig()
    parser = argparse.ArgumentParser(
        prog="python -m lstmcast.training", description=__doc__
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder to write the network to"
    )
    parser.add_argument(
        "--checkpoints",
        type=Path,
        required=True,
        help="folder from which an interrupted run continues",
    )
    parser.add_argument(
        "--members",
        type=int,
        default=2,
        help="number of networks whose quantiles are averaged (default 2)",
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=defaults.steps,
        help=f"number of steps of each member (default {defaults.steps})",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=defaults.seed,
        help="random seed of the first member (default 0)",
    )
    usual_device = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument(
        "--device",
        default=usual_device,
        help="cpu or cuda (default: cuda if there is one)",
    )
    return parser.parse_args()


def main() -> None:
    """Train all members, or continue an interrupted run, and write the network."""
    options = _options()
    store.check_place(options.out)
    config = PretrainingConfig(steps=options.steps, seed=options.seed)
    network = NetworkConfig(horizon=24)
    members = pretrain_members(
        config, network, options.checkpoints, options.members, device=options.device
    )
    about, weights = described(Network(network, [member.arrays for member in members]))
    origin = _made(config, members, options.device)
    manifest = {"kind": "network", **about, **origin}
    store.save(options.out, manifest, {"weights": weights})


def _made(
    config: PretrainingConfig, members: list[PretrainedMember], device: str
) -> dict[str, Any]:
    """How the network was made, for its card."""
    return {
        "trained_on": "synthetic series only (lstmcast.data.synthetic)",
        "pretraining": adapter(PretrainingConfig).dump_python(config, mode="json"),
        "seconds": [round(member.seconds) for member in members],
        "device": device,
        "machine": {"processor": platform.machine(), "cores": os.cpu_count()},
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        "date": datetime.now(UTC).date().isoformat(),
    }


if __name__ == "__main__":
    main()
