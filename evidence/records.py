"""Where the results lie, and what the head of each result file says."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "evidence" / "results"
WEIGHTS = ROOT / "src" / "lstmcast" / "weights" / "weights.safetensors"

# What a number depends on. "measured": the commit that was measured; "recorded": the one that
# brought the file, where nothing else is known.
HEADER = (
    "name",
    "protocol",
    "data",
    "seed",
    "machine",
    "versions",
    "commit",
    "date",
    "command",
)
COMMIT = re.compile(r"(measured|recorded) [0-9a-f]{7,40}( with changes)?")


def read_results(
    folder: Path = RESULTS, weights: str | None = None
) -> dict[str, dict[str, Any]]:
    """All results that are there, by name; those made with other weights, given by their
    SHA-256, are left out. What does not depend on weights names none."""
    results = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }
    if weights is None:
        return results
    return {
        name: result
        for name, result in results.items()
        if result.get("weights_sha256", weights) == weights
    }


def shipped_weights() -> str:
    """SHA-256 of the shipped network's arrays."""
    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()


def missing_in(result: Mapping[str, Any]) -> list[str]:
    """Entries of the header that a result lacks, or that say nothing."""
    missing = [entry for entry in HEADER if not result.get(entry)]
    if "commit" not in missing and not COMMIT.fullmatch(result["commit"]):
        missing.append("commit")
    return missing
