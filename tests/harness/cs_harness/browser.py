"""A real browser without a window: Debian's Chromium, driven through ChromeDriver."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

DRIVER = "/usr/bin/chromedriver"
# What a browser does by itself is none of the test's business, and there is nobody to talk to.
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def is_there() -> bool:
    """Tell whether this machine has one."""
    return shutil.which(DRIVER) is not None and shutil.which("chromium") is not None


class Browser:
    """One window with one page."""

    def __init__(self, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in (*QUIET, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self._driver = webdriver.Chrome(service=Service(DRIVER), options=options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._driver.quit()

    def show(self, page: Path, width: int, *, scheme: str = "light", medium: str = "screen") -> None:
        """Open a file in a window of this width, in pixels, in light or dark, or as it is on paper."""
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        media = {"media": medium, "features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self._driver.get(page.as_uri())

    def ask(self, script: str) -> Any:
        """Run a script in the page, as the page's own could not be, and return what it returns."""
        return self._driver.execute_script(script)

    def complaints(self) -> list[str]:
        """Return what the browser wrote into its console since it was asked last."""
        return [entry["message"] for entry in self._driver.get_log("browser")]

    def picture(self, width: int, height: int) -> bytes:
        """Return the upper part of the page as PNG."""
        part = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        options = {"format": "png", "captureBeyondViewport": True, "clip": part}
        return base64.b64decode(self._driver.execute_cdp_cmd("Page.captureScreenshot", options)["data"])

    def printed(self) -> bytes:
        """Return the page as PDF, as it would be printed."""
        return base64.b64decode(self._driver.execute_cdp_cmd("Page.printToPDF", {})["data"])

    def spoken(self) -> list[dict[str, Any]]:
        """Return what a screen reader is told: role and name of everything that it is told of."""
        nodes = self._driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        return [
            {"role": node["role"]["value"], "name": node.get("name", {}).get("value", "")}
            for node in nodes
            if not node.get("ignored")
        ]
