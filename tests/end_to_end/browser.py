"""Headless Chromium that talks to this machine only."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

REQUIRED = "COUNTERSIGN_REQUIRE_BROWSER"
HOW_TO_GET = "No Chromium on this machine. `apt-get install chromium` brings it"
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def chromium() -> str:
    """Where it is. Without it the test is skipped, or fails where browsers are required."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        give_up = pytest.fail if os.environ.get(REQUIRED) == "1" else pytest.skip  # noqa: TID251 - a switch of tests
        give_up(HOW_TO_GET)
    return path


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Started and ended with the block."""
    path = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()
