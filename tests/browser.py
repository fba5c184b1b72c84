"""Chromium, led by its own protocol over a pair of pipes: no driver has to be installed."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

PATIENCE = 60  # seconds until something must have happened


class Browser:
    """One page in a browser without a window.

    `requests`: all addresses that were asked for; `errors`: what scripts said of themselves.
    """

    def __init__(self, profile: Path, downloads: Path) -> None:
        self.profile, self.downloads = profile, downloads
        self.requests: list[str] = []
        self.errors: list[str] = []
        self._number, self._buffer, self._session = 0, b"", ""

    def __enter__(self) -> Browser:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        options = [
            "--headless=new",
            "--no-sandbox",  # tests may run as root
            "--remote-debugging-pipe",
            "--lang=en-US",
            "--window-size=1000,900",
            f"--user-data-dir={self.profile}",
        ]
        # The protocol's pipes are 3 and 4.
        start = f'exec chromium "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            ["bash", "-c", start, "chromium", *options],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._in, self._out = ours_in, ours_out
        target = self.call("Target.createTarget", url="about:blank", newWindow=True)[
            "targetId"
        ]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")
        folder = str(self.downloads)
        self.call("Page.setDownloadBehavior", behavior="allow", downloadPath=folder)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        os.close(self._in)
        os.close(self._out)

    def call(self, method: str, **settings: Any) -> dict[str, Any]:
        """Ask the browser for something; its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": settings}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self._note(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            more = os.read(self._in, 1 << 16)
            if not more:
                raise RuntimeError("the browser ended")
            self._buffer += more
        first, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(first)

    def _note(self, event: dict[str, Any]) -> None:
        method = event.get("method", "")
        if method == "Network.requestWillBeSent":
            self.requests.append(event["params"]["request"]["url"])
        if method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(event["params"]["exceptionDetails"]))

    def open(self, address: str) -> None:
        """Go to a page."""
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")

    def evaluate(self, script: str) -> Any:
        """What a script gives, and its promise where it gives one."""
        settings = {"awaitPromise": True, "returnByValue": True}
        answer = self.call("Runtime.evaluate", expression=script, **settings)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Until a script gives true."""
        end = time.monotonic() + PATIENCE
        while not self.evaluate(condition):
            if time.monotonic() > end:
                raise TimeoutError(condition)
            time.sleep(0.05)

    def resize(self, width: int, height: int) -> None:
        """Make the page as large as another screen."""
        settings = {
            "width": width,
            "height": height,
            "deviceScaleFactor": 1,
            "mobile": width < 600,
        }
        self.call("Emulation.setDeviceMetricsOverride", **settings)

    def downloaded(self, name: str) -> str:
        """The text of a file that the page gives, once it is there."""
        file, end = self.downloads / name, time.monotonic() + PATIENCE
        while not file.exists():
            if time.monotonic() > end:
                raise TimeoutError(name)
            time.sleep(0.05)
        return file.read_text(encoding="utf-8")

    def picture(self, path: Path) -> None:
        """Save what the page looks like."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))
