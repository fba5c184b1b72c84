"""Settings with which DuckDB downloads nothing, whatever a query or a file is called."""

from __future__ import annotations

from typing import Any

NO_EXTENSIONS: dict[str, Any] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
