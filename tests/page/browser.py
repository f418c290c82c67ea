"""The system's Chromium, in which the page is tested; the tests download nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    sync_playwright,
)

from tests.waiting import WITHIN_S

LAPTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = int(WITHIN_S * 1000)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium. Without one the test is skipped, or fails where CI is set."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        missing = "There is no Chromium on this machine; on Debian: apt install chromium"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    # Chromium's sandbox does not run as root, and containers of CI run as root.
    no_sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=Path(path), args=[*_QUIET, *no_sandbox]
        )
        yield browser
        browser.close()


@contextmanager
def open_page(
    browser: Browser,
    url: str,
    viewport: ViewportSize,
    scheme: Literal["light", "dark"] = "light",
) -> Iterator[Page]:
    """A tab with an empty profile. Errors that users would not see fail the test at its end."""
    with browser.new_context(
        base_url=url,
        viewport=viewport,
        color_scheme=scheme,
        reduced_motion="reduce",
        locale="en-GB",
    ) as context:
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        faults = _watch(page)
        page.goto("/")
        yield page
        assert faults == []


def assert_accessible(page: Page) -> None:
    """Fail with the report of axe if it finds violations."""
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def _watch(page: Page) -> list[str]:
    """Collect uncaught errors, policy violations and requests to other servers from now on.

    Failed requests are not collected, because some tests cause them.
    """
    faults: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            faults.append(message.text)

    def on_request(request: Request) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None):
            faults.append(f"request to another server: {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", on_request)
    return faults
