"""A server that is not for everybody asks for a key, once."""

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
from tests.page.browser import LAPTOP, accessible, open_page
from tests.page.conftest import Photograph


@pytest.fixture
def key(redis_url: str) -> str:
    made = subprocess.run(
        [sys.executable, "-m", "api.keys", "create", "--owner", "anna", "--json"],
        env={**os.environ, "SPINELABEL_REDIS_URL": redis_url},
        capture_output=True,
        check=True,
    )
    return str(json.loads(made.stdout)["key"])


@pytest.fixture
def guarded(browser: Browser, redis_url: str, tmp_path: Path) -> Iterator[Page]:
    """The page of a server that asks for keys. No worker is there, so nothing is labelled."""
    settings = {"SPINELABEL_REDIS_URL": redis_url, "SPINELABEL_AUTH": "required"}
    api = ApiProcess(tmp_path, settings)
    try:
        with open_page(browser, api.url, LAPTOP) as tab:
            yield tab
    finally:
        api.stop()


def test_a_key_is_asked_for_once_and_kept_where_no_script_reads_it(
    guarded: Page, key: str, photograph: Photograph
) -> None:
    dialog = guarded.get_by_role("dialog", name="A key, please")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Your key")).to_be_focused()
    accessible(guarded)
    dialog.get_by_label("Your key").fill("sl_not_a_key")
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    photograph(guarded, "key")
    dialog.get_by_label("Your key").fill(key)
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog).to_be_hidden()
    expect(guarded.locator("#no-catalogues")).to_be_visible()
    guarded.reload()
    expect(guarded.locator("#no-catalogues")).to_be_visible()
    expect(dialog).to_be_hidden()
    assert (
        guarded.evaluate("document.cookie + JSON.stringify({...sessionStorage, ...localStorage})")
        == "{}"
    )
    guarded.get_by_label("Choose a file").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": b"summary\nwords\n"}
    )
    guarded.locator("#send").click()
    expect(guarded.locator("#job-state")).to_have_text("Waiting for a worker.")
