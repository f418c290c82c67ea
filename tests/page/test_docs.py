"""The API description in a browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def test_the_api_description_works_under_the_content_security_policy(page: Page) -> None:
    page.goto("/docs")
    page.get_by_text("Upload a catalogue", exact=True).click()
    expect(page.get_by_text("IDEMPOTENCY_KEY_REUSED")).to_be_visible()
    expect(page.get_by_role("button", name="Authorize")).to_be_visible()
