"""A server that requires keys asks for one once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.conftest import ApiProcess
from tests.page.browser import LAPTOP, assert_accessible, open_page
from tests.page.conftest import SaveScreenshot


@pytest.fixture
def key(redis_url: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "api.keys", "create", "--owner", "anna", "--json"],
        env={**os.environ, "SPINELABEL_REDIS_URL": redis_url},
        capture_output=True,
        check=True,
    )
    return str(json.loads(result.stdout)["key"])


@pytest.fixture
def keyed_page(browser: Browser, redis_url: str, tmp_path: Path) -> Iterator[Page]:
    """The page of a server that requires keys, without a worker."""
    settings = {"SPINELABEL_REDIS_URL": redis_url, "SPINELABEL_AUTH": "required"}
    api = ApiProcess(tmp_path, settings)
    try:
        with open_page(browser, api.url, LAPTOP) as tab:
            yield tab
    finally:
        api.stop()


def test_a_key_is_requested_once_and_stored_out_of_reach_of_scripts(
    keyed_page: Page, key: str, save_screenshot: SaveScreenshot
) -> None:
    dialog = keyed_page.get_by_role("dialog", name="API key required")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("API key")).to_be_focused()
    assert_accessible(keyed_page)
    dialog.get_by_label("API key").fill("sl_not_a_key")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    save_screenshot(keyed_page, "key")
    dialog.get_by_label("API key").fill(key)
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_be_hidden()
    expect(keyed_page.locator("#no-catalogues")).to_be_visible()
    keyed_page.reload()
    expect(keyed_page.locator("#no-catalogues")).to_be_visible()
    expect(dialog).to_be_hidden()
    assert (
        keyed_page.evaluate(
            "document.cookie + JSON.stringify({...sessionStorage, ...localStorage})"
        )
        == "{}"
    )
    keyed_page.get_by_label("Choose a file").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": b"summary\nwords\n"}
    )
    keyed_page.locator("#send").click()
    expect(keyed_page.locator("#job-state")).to_have_text("Waiting for a worker.")
