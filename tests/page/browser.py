"""The Chromium that the page is tested in: the system's own, for nothing is downloaded by the tests."""

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
    # Chromium's sandbox refuses to run as root, as which CI's containers run.
    unconfined = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=Path(path), args=[*_QUIET, *unconfined]
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
    """A tab on the page with nothing remembered. Faults that nobody would see fail the test at its end."""
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


def accessible(page: Page) -> None:
    """Fails with axe's own words if it finds anything."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def _watch(page: Page) -> list[str]:
    """Uncaught errors, violations of the policy and requests to elsewhere from now on.

    A request that fails is no fault: how the page takes it is what some tests are about.
    """
    faults: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            faults.append(message.text)

    def see(request: Request) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None):
            faults.append(f"asked elsewhere: {request.url}")

    page.on("console", hear)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", see)
    return faults
