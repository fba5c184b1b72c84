"""What MkDocs does beside the pages: the demo, and a choice of versions where there are several."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

DEMO = Path("demo", "index.html")


def on_config(config: Any) -> Any:
    """Show the version selector in a site that mike builds: it alone has other versions beside it.

    Elsewhere each page would ask in vain for their list.
    """
    if "MIKE_DOCS_VERSION" in os.environ:
        config.extra["version"] = {"provider": "mike", "default": "latest"}
    return config


def on_post_build(config: Any) -> None:
    """Put the page that forecasts in the browser where the guides link to it."""
    from lstmcast.export.web import web_page

    path = Path(config.site_dir) / DEMO
    path.parent.mkdir(exist_ok=True)
    path.write_text(web_page(), encoding="utf-8")
