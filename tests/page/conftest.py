"""A real browser on the real stack. Whatever the page does wrong in silence fails the test as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from tests.page.browser import chromium
from tests.stack import ROOT, Stack, running_stack

SCREENSHOTS = ROOT / "var" / "screenshots"
_WAIT_MS = 60_000  # for what takes a worker on a busy machine; a wait ends as soon as it is true

expect.set_options(timeout=_WAIT_MS)

Photograph = Callable[[Page, str], None]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="session")
def stack(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    assert browser  # without one, no stack has to be started
    with running_stack(tmp_path_factory.mktemp("page_stack")) as running:
        yield running


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A tab on the page, as on a laptop, with nothing remembered."""
    with browser.new_context(
        base_url=str(stack.http.base_url), viewport={"width": 1280, "height": 900}
    ) as context:
        tab = context.new_page()
        tab.set_default_timeout(_WAIT_MS)
        faults = watch(tab)
        tab.goto("/")
        yield tab
        assert faults == []


def watch(page: Page) -> list[str]:
    """What goes wrong in this tab from now on: uncaught errors, violations of the policy, requests to elsewhere.

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


@pytest.fixture
def photograph() -> Photograph:
    """Keeps a picture of the whole page under var/, for people to look at."""

    def take(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SCREENSHOTS, f"{name}.png"), full_page=True)

    return take


def accessible(page: Page) -> None:
    """Fails with axe's own words if it finds anything."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
