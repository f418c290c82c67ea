"""From a file to the labelled file, as a person does it."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.page.conftest import Photograph, accessible
from tests.stack import SAMPLE


def test_a_catalogue_is_sent_labelled_and_downloaded(page: Page, photograph: Photograph) -> None:
    accessible(page)
    page.get_by_label("CSV file").set_input_files(SAMPLE)
    page.get_by_role("button", name="Label it").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the labelled catalogue").click()
    assert waiting.value.suggested_filename == "sample_catalogue.labelled.csv"
    before = read(SAMPLE)
    after = read(Path(waiting.value.path()))
    assert [row[: len(before[0])] for row in after] == before
    expect(page.get_by_role("status")).to_have_text("Done.")
    accessible(page)
    photograph(page, "done")


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))
