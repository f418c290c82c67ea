"""Rows of a finished catalogue are filtered, corrected and downloaded with corrections."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import SaveScreenshot
from tests.page.steps import read_csv
from tests.stack import Stack


@pytest.fixture
def job_id(page: Page, stack: Stack, sample: bytes) -> str:
    """A finished job of the sample, shown on the page."""
    job_id = stack.submit(sample)
    stack.wait(job_id)
    page.goto(f"/#/catalogue/{job_id}")
    expect(page.locator("#review-rows .row").first).to_be_visible()
    return job_id


def pressed_choice(page: Page, row: int) -> str | None:
    """The genre chosen in a shown row, counted from 0."""
    pressed = page.locator("#review-rows .row").nth(row).locator("[aria-pressed=true]")
    return pressed.inner_text() if pressed.count() else None


def test_rows_that_need_review_are_shown_first_and_can_be_filtered(
    page: Page, stack: Stack, job_id: str, save_screenshot: SaveScreenshot
) -> None:
    rows = page.locator("#review-rows .row")
    expect(rows).to_have_count(20)
    save_screenshot(page, "review")
    page.get_by_label("Without a genre").check()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("no words that the model can read")
    page.get_by_label("All", exact=True).check()
    page.get_by_label("Contains the words").fill("locke lamora")
    expect(rows).to_have_count(1)
    expect(rows.first.get_by_role("heading")).to_have_text("The Lies of Locke Lamora")
    page.get_by_label("Contains the words").fill("no such words anywhere")
    expect(page.locator("#review-state")).to_have_text("No row matches.")
    page.get_by_label("Contains the words").fill("")
    page.get_by_label("Genre", exact=True).select_option("crime")
    expect(rows.first.locator(".opinion")).to_contain_text("The model says crime")
    counts = stack.job(job_id)["genre_counts"]
    assert isinstance(counts, dict)
    expect(rows).to_have_count(min(20, counts["crime"]))


def test_a_row_in_another_language_is_named_and_the_job_warns_of_it(
    page: Page, stack: Stack
) -> None:
    content = 'summary\n"Die Tochter des Müllers und der Drache, der ihr das Leben rettet."\n'
    job_id = stack.submit(content.encode())
    stack.wait(job_id)
    page.goto(f"/#/catalogue/{job_id}")
    expect(page.locator("#job-warnings")).to_contain_text("1 row is not in English")
    row = page.locator("#review-rows .row")
    expect(row.locator(".opinion")).to_contain_text("The summary is in German")


@pytest.mark.usefixtures("job_id")
def test_more_rows_are_shown_on_demand_and_the_first_of_them_is_focused(page: Page) -> None:
    page.get_by_label("All", exact=True).check()
    rows = page.locator("#review-rows .row")
    expect(rows).to_have_count(20)
    page.get_by_role("button", name="Show more rows").click()
    expect(rows).to_have_count(40)
    expect(rows.nth(20).get_by_role("heading")).to_be_focused()


@pytest.mark.usefixtures("job_id")
def test_a_corrected_row_is_in_the_download_and_in_the_training_data(
    page: Page, save_screenshot: SaveScreenshot
) -> None:
    page.get_by_label("All", exact=True).check()
    first = page.locator("#review-rows .row").first
    expect(first.locator(".row-number")).to_have_text("row 1")
    other = first.get_by_role("combobox")
    genre = other.locator("option").nth(1).inner_text()
    other.select_option(genre)
    expect(page.locator("#saved")).to_have_text(f"Row 1: corrected to {genre}.")
    second = page.locator("#review-rows .row").nth(1).get_by_role("button").first
    confirmed = second.inner_text()
    second.click()
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#corrections-count")).to_contain_text("2 rows corrected or confirmed")
    save_screenshot(page, "corrected")

    page.reload()
    page.get_by_label("Corrected").check()
    expect(page.locator("#review-rows .row")).to_have_count(2)
    expect(page.locator("#review-rows .row").first.get_by_role("combobox")).to_have_value(genre)
    assert pressed_choice(page, 1) == confirmed

    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the labelled catalogue").click()
    table = read_csv(Path(waiting.value.path()))
    assert table[0][-1] == "corrected_genre"
    assert [row[-1] for row in table[1:4]] == [genre, confirmed, ""]
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download as training data").click()
    training = read_csv(Path(waiting.value.path()))
    assert training[0] == ["title", "genre", "summary"]
    assert [row[1] for row in training[1:]] == [genre, confirmed]
    assert training[1][0] == table[1][1]


@pytest.mark.usefixtures("job_id")
def test_pressing_a_choice_again_removes_the_correction(page: Page) -> None:
    choice = page.locator("#review-rows .row").first.get_by_role("button").first
    choice.click()
    expect(page.locator("#corrections-count")).to_contain_text("1 row ")
    choice.click()
    expect(page.locator("#saved")).to_contain_text("correction removed")
    expect(page.locator("#corrections")).to_be_hidden()


@pytest.mark.usefixtures("job_id")
def test_a_correction_during_an_outage_is_saved_afterwards(page: Page, stack: Stack) -> None:
    with stack.without_api():
        page.locator("#review-rows .row").first.get_by_role("button").first.click()
        expect(page.locator("#connection")).to_contain_text("The server does not answer")
    expect(page.locator("#saved")).to_have_text(re.compile(r"^Row \d+: corrected to \w+\."))
    expect(page.locator("#corrections-count")).to_contain_text("1 row ")


@pytest.mark.usefixtures("job_id")
def test_the_whole_row_can_be_expanded(page: Page) -> None:
    row = page.locator("#review-rows .row").first
    row.get_by_text("Whole row").click()
    expect(row.get_by_text("ISBN")).to_be_visible()
