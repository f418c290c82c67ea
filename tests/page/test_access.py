"""Accessibility: axe finds no violations, the keyboard suffices, and a phone is wide enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import LAPTOP, PHONE, assert_accessible, open_page
from tests.page.conftest import SaveScreenshot
from tests.page.steps import start_half_done_job
from tests.stack import SAMPLE, Stack

Scheme = Literal["light", "dark"]


@pytest.fixture(params=["light-laptop", "dark-laptop", "light-phone", "dark-phone"])
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tab(browser: Browser, stack: Stack, variant: str) -> Iterator[Page]:
    scheme: Scheme = "dark" if variant.startswith("dark") else "light"
    viewport = PHONE if variant.endswith("phone") else LAPTOP
    with open_page(browser, str(stack.http.base_url), viewport, scheme) as page:
        yield page


def test_axe_finds_no_violations_and_nothing_overflows_in_any_state(
    tab: Page, stack: Stack, variant: str, save_screenshot: SaveScreenshot
) -> None:
    def check(state: str) -> None:
        assert_accessible(tab)
        overflows = tab.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not overflows, f"{state} is wider than the window"
        save_screenshot(tab, f"{state}_{variant}")

    stack.wait(stack.submit(b"summary\nA detective hunts a killer\n"))
    tab.reload()
    expect(tab.locator("#catalogues")).to_be_visible()
    check("start")
    tab.get_by_label("Choose a file").set_input_files(SAMPLE)
    expect(tab.locator("#send")).to_be_enabled()
    check("chosen")
    tab.get_by_role("button", name="Choose another file").click()
    with stack.suspended_worker() as worker:
        start_half_done_job(tab, worker, variant.replace("-", ""))
        expect(tab.locator("#latest-rows li").first).to_be_visible()
        check("under_way")
    expect(tab.locator("#job-state")).to_contain_text("Done")
    expect(tab.locator("#review-rows .row").first).to_be_visible()
    tab.locator("#review-rows .row").first.get_by_role("button").first.click()
    tab.locator("#review-rows details summary").first.click()
    expect(tab.locator("#corrections")).to_be_visible()
    check("finished")
    tab.goto(f"/#/catalogue/job_{'0' * 32}")
    expect(tab.get_by_role("alert")).to_be_visible()
    check("missing")
    tab.get_by_role("link", name="Try a summary").click()
    check("try")
    tab.get_by_role("button", name="Use an example").click()
    tab.get_by_role("button", name="Find the genre").click()
    expect(tab.locator("#try-words li").first).to_be_visible()
    check("tried")


def test_the_keyboard_suffices_from_a_file_to_a_correction(page: Page) -> None:
    # Playwright intercepts file dialogs with a delay; on a busy machine Enter would be faster.
    page.on("filechooser", lambda _: None)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Choose a file")).to_be_focused()
    with page.expect_file_chooser() as waiting:
        page.keyboard.press("Enter")
    waiting.value.set_files(SAMPLE)
    send = page.locator("#send")
    expect(send).to_be_enabled()
    tab_to(page, lambda: is_focused(page, "#send"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="sample_catalogue.csv")).to_be_focused()
    expect(page.locator("#review-rows .row").first).to_be_visible()
    tab_to(page, lambda: is_focused(page, "#review-rows .row .choice"))
    page.keyboard.press("Space")
    expect(page.locator("#saved")).to_contain_text("corrected to")
    expect(page.locator("#review-rows .row .choice").first).to_be_focused()


def is_focused(page: Page, selector: str) -> bool:
    return bool(page.evaluate("(css) => document.activeElement.matches(css)", selector))


def tab_to(page: Page, is_reached: Callable[[], bool]) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if is_reached():
            return
    raise AssertionError("the element cannot be reached with Tab")


def test_a_page_whose_scripts_cannot_be_loaded_asks_for_a_reload(
    page: Page, save_screenshot: SaveScreenshot
) -> None:
    expect(page.locator("#loading")).to_be_hidden()
    page.route("**/review.js", lambda route: route.abort())
    page.reload()
    expect(page.get_by_text("reload the page")).to_be_visible()
    save_screenshot(page, "not_loaded")
    page.unroute("**/review.js")
    page.reload()
    expect(page.get_by_role("heading", name="Genres for a whole catalogue")).to_be_visible()
    expect(page.locator("#loading")).to_be_hidden()
