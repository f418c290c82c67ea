"""A single summary is labelled at once, with evidence."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.page.conftest import SaveScreenshot


def test_a_summary_gets_its_genre_and_evidence(page: Page, save_screenshot: SaveScreenshot) -> None:
    page.get_by_role("link", name="Try a summary").click()
    expect(page.get_by_role("heading", name="Try a summary")).to_be_focused()
    page.get_by_label("Summary").fill(
        "A detective hunts a killer through the rain of London; each murder is signed with a rose."
    )
    page.get_by_role("button", name="Find the genre").click()
    title = page.locator("#try-title")
    expect(title).to_be_focused()
    expect(title).to_have_text("crime")
    expect(page.locator("#try-confidence")).to_contain_text("% sure")
    expect(page.locator("#try-words li").first).to_be_visible()
    save_screenshot(page, "tried")


def test_a_summary_without_words_gets_a_reason(page: Page) -> None:
    page.goto("/#/try")
    page.get_by_label("Summary").fill("1234 ---")
    page.get_by_role("button", name="Find the genre").click()
    expect(page.locator("#try-title")).to_have_text("No genre")
    expect(page.locator("#try-confidence")).to_contain_text("add an English summary")
    expect(page.locator("#try-why")).to_be_hidden()
