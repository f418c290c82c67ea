"""A real browser on the real stack. Whatever the page does wrong in silence fails the test as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import LAPTOP, WAIT_MS, chromium, open_page
from tests.stack import ROOT, Stack, running_stack

SCREENSHOTS = ROOT / "var" / "screenshots"

# For what takes a worker on a busy machine; a wait ends as soon as it is true.
expect.set_options(timeout=WAIT_MS)

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
    with open_page(browser, str(stack.http.base_url), LAPTOP) as tab:
        yield tab


@pytest.fixture
def photograph() -> Photograph:
    """Keeps a picture of the whole page under var/, for people to look at."""

    def take(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SCREENSHOTS, f"{name}.png"), full_page=True)

    return take
