"""What MkDocs does beside the pages: the demo, and a choice of versions where there are several."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

DEMO = Path("demo", "index.html")
OPTION = re.compile(r"<code>(-[^<]{1,24})</code>")
FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
# A line of a Japanese paragraph ends: no list, table, heading, fence or empty line follows.
JAPANESE_LINE_END = re.compile(
    r"(?<=[ぁ-ヿ一-鿿々、。：「」])\n(?=[^\s\-|#>!<])(?!\d+\. )"
)


def on_config(config: Any) -> Any:
    """Show the version selector in a site that mike builds: it alone has other versions beside it.

    Elsewhere each page would ask in vain for their list.
    """
    if "MIKE_DOCS_VERSION" in os.environ:
        config.extra["version"] = {"provider": "mike", "default": "latest"}
    return config


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Join the lines of Japanese paragraphs, between which a browser would show a space."""
    if not is_japanese(page):
        return markdown
    parts = FENCED.split(markdown)
    parts[::2] = [JAPANESE_LINE_END.sub("", part) for part in parts[::2]]
    return "".join(parts)


def on_page_content(html: str, **_: Any) -> str:
    """Mark the options of commands, which are not to be broken after their hyphens."""
    return OPTION.sub(r'<code class="option">\1</code>', html)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Say which pages are in Japanese: browsers choose letters and voices by it."""
    return (
        output.replace('<html lang="en"', '<html lang="ja"', 1)
        if is_japanese(page)
        else output
    )


def is_japanese(page: Any) -> bool:
    """Whether a page is one of the folder ja."""
    return page.file.src_uri.startswith("ja/")


def on_post_build(config: Any) -> None:
    """Put the page that forecasts in the browser where the guides link to it."""
    from lstmcast.export.web import web_page

    path = Path(config.site_dir) / DEMO
    path.parent.mkdir(exist_ok=True)
    path.write_text(web_page(), encoding="utf-8")
