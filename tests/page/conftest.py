"""A real browser on the real stack; errors in the browser fail the test too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import LAPTOP, WAIT_MS, chromium, open_page
from tests.stack import ROOT, Stack, running_stack

SCREENSHOTS = ROOT / "var" / "screenshots"

# Enough for a worker on a busy machine; a wait ends as soon as its condition is true.
expect.set_options(timeout=WAIT_MS)

SaveScreenshot = Callable[[Page, str], None]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="session")
def stack(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    assert browser  # without a browser, no stack is started
    with running_stack(tmp_path_factory.mktemp("page_stack")) as started_stack:
        yield started_stack


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A tab on the page with the size of a laptop's screen and an empty profile."""
    with open_page(browser, str(stack.http.base_url), LAPTOP) as tab:
        yield tab


@pytest.fixture
def save_screenshot() -> SaveScreenshot:
    """Save a screenshot of the whole page under var/."""

    def take(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SCREENSHOTS, f"{name}.png"), full_page=True)

    return take
