"""Draw the pictures of the server's page that the docs show, in English and Japanese.

    python docs/page_pictures.py

A server is started for it, and a headless Chromium opens its page: Playwright and a `chromium` are
needed.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, sync_playwright

IMAGES = Path(__file__).parent / "images"
SIZE: ViewportSize = {"width": 1280, "height": 1010}
COLOURS = 96
NAMES = {"en-US": "page.png", "ja-JP": "page-ja.png"}
SERVER = [sys.executable, "-m", "lstmcast", "serve", "--port", "0"]


def picture(browser: Browser, address: str, locale: str) -> Image.Image:
    """The page with the forecast of the airline data."""
    page = browser.new_page(viewport=SIZE, locale=locale)
    page.goto(address)
    page.click("[data-example='airline.csv']")
    page.wait_for_selector("#result:not([hidden]) #chart .main-svg")
    page.wait_for_selector("#busy", state="hidden")
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def main() -> None:
    """Write all pictures."""
    server = subprocess.Popen(SERVER, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        found = re.search(r"http://\S+", server.stderr.readline())
        assert found is not None  # the server says where it listens
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            for locale, name in NAMES.items():
                drawn = picture(browser, found[0], locale)
                drawn.quantize(COLOURS).save(IMAGES / name, optimize=True)
            browser.close()
    finally:
        server.terminate()
        server.communicate()


if __name__ == "__main__":
    main()
