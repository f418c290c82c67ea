"""From a file to the labelled file, as a user does it."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import SaveScreenshot
from tests.page.steps import read_csv
from tests.stack import SAMPLE, Stack


def test_a_catalogue_is_uploaded_labelled_and_downloaded(
    page: Page, save_screenshot: SaveScreenshot
) -> None:
    page.get_by_label("Choose a file").set_input_files(SAMPLE)
    expect(page.get_by_role("heading", name="sample_catalogue.csv")).to_be_focused()
    page.locator("#send").click()
    expect(page.locator("#job-state")).to_have_text(
        re.compile(r"^Done: 221 rows labelled\. 2 rows without a genre\. \d+ rows to review\.$")
    )
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the labelled catalogue").click()
    assert waiting.value.suggested_filename == "sample_catalogue.labelled.csv"
    before, after = read_csv(SAMPLE), read_csv(Path(waiting.value.path()))
    assert [row[: len(before[0])] for row in after] == before
    expect(page.locator("#genre-list li")).to_have_count(10)
    expect(page.locator("#review-rows .row")).to_have_count(20)
    save_screenshot(page, "done")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Excel").click()
    assert waiting.value.suggested_filename == "sample_catalogue.labelled.xlsx"


def test_a_file_can_be_dropped_anywhere_on_the_page(page: Page) -> None:
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["title,blurb\\nA,A detective hunts a killer\\n"], "dropped.csv"));
          document.body.dispatchEvent(
            new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
        }"""
    )
    expect(page.get_by_role("heading", name="dropped.csv")).to_be_focused()
    page.locator("#send").click()
    expect(page.locator("#job-state")).to_contain_text("Done: 1 row labelled.")


def test_the_preview_is_shown_before_the_upload(
    page: Page, save_screenshot: SaveScreenshot
) -> None:
    page.get_by_label("Choose a file").set_input_files(SAMPLE)
    expect(page.locator("#preview")).to_have_text(
        "Comma-separated text in UTF-8 · 8 columns · 223 rows"
    )
    expect(page.get_by_label("Which column contains the summaries?")).to_have_value("Description")
    expect(page.locator("#preview-rows th.selected")).to_have_text("Description")
    expect(page.locator("#preview-rows tbody tr").first).to_contain_text("And Then There Were None")
    expect(page.get_by_role("button", name="Label 223 rows")).to_be_enabled()
    save_screenshot(page, "chosen")


def test_an_archive_is_previewed_completely(page: Page) -> None:
    archive_file = io.BytesIO()
    with zipfile.ZipFile(archive_file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(SAMPLE, "books.csv")
    page.get_by_label("Choose a file").set_input_files(
        {"name": "books.zip", "mimeType": "application/zip", "buffer": archive_file.getvalue()}
    )
    expect(page.locator("#preview")).to_contain_text("Zipped comma-separated text")
    page.get_by_role("button", name="Label 223 rows").click()
    expect(page.locator("#job-state")).to_contain_text("Done: 221 rows labelled.")


def test_an_undetected_column_can_be_chosen(page: Page) -> None:
    page.get_by_label("Choose a file").set_input_files(
        {
            "name": "odd.csv",
            "mimeType": "text/csv",
            "buffer": b"a,b\n1,A detective hunts a killer\n",
        }
    )
    column = page.get_by_label("Which column contains the summaries?")
    expect(column).to_have_value("")
    expect(page.get_by_role("button", name="Label 1 row")).to_be_disabled()
    column.select_option("b")
    expect(page.locator("#preview-rows th.selected")).to_have_text("b")
    page.get_by_role("button", name="Label 1 row").click()
    expect(page.locator("#job-state")).to_contain_text("Done: 1 row labelled.")


def test_past_catalogues_are_listed_and_can_be_opened(page: Page, stack: Stack) -> None:
    for _ in range(12):
        stack.wait(stack.submit(b"summary\nA detective hunts a killer\n"))
    page.reload()
    lines = page.locator("#catalogues tbody tr")
    expect(lines).to_have_count(10)
    page.get_by_role("button", name="Show older catalogues").click()
    expect(lines.nth(10).get_by_role("link").first).to_be_focused()
    lines.nth(11).get_by_role("link", name="catalogue.csv", exact=True).click()
    expect(page.get_by_role("heading", name="catalogue.csv")).to_be_focused()
    page.go_back()
    expect(page.get_by_role("heading", name="Genres for a whole catalogue")).to_be_focused()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "PNG"),
        (b"", "empty"),
        (b"title,summary\n", "no rows"),
    ],
)
def test_a_file_that_cannot_be_labelled_is_refused_with_a_reason(
    page: Page, content: bytes, message: str, save_screenshot: SaveScreenshot
) -> None:
    page.get_by_label("Choose a file").set_input_files(
        {"name": "bad.csv", "mimeType": "text/csv", "buffer": content}
    )
    expect(page.get_by_role("alert").filter(has_text=message)).to_be_visible()
    expect(page.locator("#send")).to_be_disabled()
    save_screenshot(page, f"refused_{message.replace(' ', '_')}")
    page.get_by_role("button", name="Choose another file").click()
    expect(page.get_by_label("Choose a file")).to_be_focused()
