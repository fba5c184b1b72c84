"""Draw the pictures of the server's page that the docs show, in English and Japanese.

    python docs/page_pictures.py

A server is started for it, and a headless Chromium opens its page: Playwright, a `chromium` and a
font with Japanese letters (Debian's fonts-noto-cjk) are needed.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

IMAGES = Path(__file__).parent / "images"
SIZE: ViewportSize = {"width": 1280, "height": 1010}
COLOURS = 96
PATIENCE = 120_000  # milliseconds
NAMES = {
    "en-US": "page.png",
    "ja-JP": "page-ja.png",
    "en-US training": "training.png",
    "ja-JP training": "training-ja.png",
}
SERVER = [sys.executable, "-m", "lstmcast", "serve", "--port", "0"]


def picture(browser: Browser, address: str, locale: str, what: str) -> Image.Image:
    """The page with the forecast of the airline data, or a training on them."""
    page = browser.new_page(viewport=SIZE, locale=locale)
    page.goto(address)
    page.click("[data-example='airline.csv']")
    page.wait_for_selector("#result:not([hidden]) #chart .main-svg")
    page.wait_for_selector("#busy", state="hidden")
    drawn = _training(page) if what else page.screenshot()
    page.close()
    return Image.open(io.BytesIO(drawn)).convert("RGB")


def _training(page: Page) -> bytes:
    """The panel of a training that has ended."""
    page.set_default_timeout(PATIENCE)
    page.click("#train-go")
    page.wait_for_selector("#train-use:not([hidden])")
    page.hover("#train-title")  # else the chart shows its buttons
    page.wait_for_timeout(1000)
    drawn = page.locator("#training").screenshot()
    page.click("#train-remove")
    page.wait_for_selector("#train-now", state="hidden")
    return drawn


def require_japanese_font() -> None:
    """End with advice if pages in Japanese would show rows of boxes."""
    fonts = subprocess.run(["fc-list", ":lang=ja"], capture_output=True, check=True)
    if not fonts.stdout.strip():
        sys.exit("no font has Japanese letters: apt-get install fonts-noto-cjk")


def main() -> None:
    """Write all pictures."""
    require_japanese_font()
    server = subprocess.Popen(SERVER, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        found = re.search(r"http://\S+", server.stderr.readline())
        assert found is not None  # the server says where it listens
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            for shown, name in NAMES.items():
                locale, _, what = shown.partition(" ")
                drawn = picture(browser, found[0], locale, what)
                drawn.quantize(COLOURS).save(IMAGES / name, optimize=True)
            browser.close()
    finally:
        server.terminate()
        server.communicate()


if __name__ == "__main__":
    main()
