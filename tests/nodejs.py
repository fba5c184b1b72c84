"""Scripts in tests/web, run by Node.js."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

WEB = Path(__file__).parent / "web"


def node(script: str, *arguments: Path):
    """What a script prints, as JSON."""
    command = ["node", str(WEB / script), *map(str, arguments)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=120
    )
    return json.loads(done.stdout)
