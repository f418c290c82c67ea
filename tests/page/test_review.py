"""The rows of a finished catalogue are looked through, corrected in place and downloaded so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import Photograph
from tests.page.test_upload import read
from tests.stack import Stack


@pytest.fixture
def job_id(page: Page, stack: Stack, sample: bytes) -> str:
    """A finished job of the sample, shown on the page."""
    job_id = stack.submit(sample)
    stack.wait(job_id)
    page.goto(f"/#/catalogue/{job_id}")
    expect(page.locator("#review-rows .row").first).to_be_visible()
    return job_id


def chosen(page: Page, row: int) -> str | None:
    """What a person said of the n-th row shown, from 0."""
    pressed = page.locator("#review-rows .row").nth(row).locator("[aria-pressed=true]")
    return pressed.inner_text() if pressed.count() else None


def test_rows_that_need_review_come_first_and_others_can_be_asked_for(
    page: Page, stack: Stack, job_id: str, photograph: Photograph
) -> None:
    rows = page.locator("#review-rows .row")
    expect(rows).to_have_count(20)
    photograph(page, "review")
    page.get_by_label("Without genre").check()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("no words that the model can read")
    page.get_by_label("All", exact=True).check()
    page.get_by_label("Holds the words").fill("locke lamora")
    expect(rows).to_have_count(1)
    expect(rows.first.get_by_role("heading")).to_have_text("The Lies of Locke Lamora")
    page.get_by_label("Holds the words").fill("no such words anywhere")
    expect(page.locator("#review-state")).to_have_text("No row matches.")
    page.get_by_label("Holds the words").fill("")
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
def test_more_rows_are_shown_on_demand_and_the_reader_s_place_is_kept(page: Page) -> None:
    page.get_by_label("All", exact=True).check()
    rows = page.locator("#review-rows .row")
    expect(rows).to_have_count(20)
    page.get_by_role("button", name="Show more rows").click()
    expect(rows).to_have_count(40)
    expect(rows.nth(20).get_by_role("heading")).to_be_focused()


@pytest.mark.usefixtures("job_id")
def test_a_corrected_row_is_in_the_download_and_in_the_training_data(
    page: Page, photograph: Photograph
) -> None:
    page.get_by_label("All", exact=True).check()
    first = page.locator("#review-rows .row").first
    expect(first.locator(".row-number")).to_have_text("row 1")
    other = first.get_by_role("combobox")
    genre = other.locator("option").nth(1).inner_text()
    other.select_option(genre)
    expect(page.locator("#saved")).to_have_text(f"Row 1 is {genre}, as you say.")
    second = page.locator("#review-rows .row").nth(1).get_by_role("button").first
    confirmed = second.inner_text()
    second.click()
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#corrections-count")).to_contain_text("2 rows corrected or confirmed")
    photograph(page, "corrected")

    page.reload()
    page.get_by_label("Corrected").check()
    expect(page.locator("#review-rows .row")).to_have_count(2)
    expect(page.locator("#review-rows .row").first.get_by_role("combobox")).to_have_value(genre)
    assert chosen(page, 1) == confirmed

    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the labelled catalogue").click()
    table = read(Path(waiting.value.path()))
    assert table[0][-1] == "corrected_genre"
    assert [row[-1] for row in table[1:4]] == [genre, confirmed, ""]
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download them as training data").click()
    training = read(Path(waiting.value.path()))
    assert training[0] == ["title", "genre", "summary"]
    assert [row[1] for row in training[1:]] == [genre, confirmed]
    assert training[1][0] == table[1][1]


@pytest.mark.usefixtures("job_id")
def test_a_choice_pressed_once_more_is_taken_back(page: Page) -> None:
    choice = page.locator("#review-rows .row").first.get_by_role("button").first
    choice.click()
    expect(page.locator("#corrections-count")).to_contain_text("1 row ")
    choice.click()
    expect(page.locator("#saved")).to_contain_text("as the model says")
    expect(page.locator("#corrections")).to_be_hidden()


@pytest.mark.usefixtures("job_id")
def test_a_correction_made_while_the_server_is_away_is_kept(page: Page, stack: Stack) -> None:
    with stack.without_api():
        page.locator("#review-rows .row").first.get_by_role("button").first.click()
        expect(page.locator("#connection")).to_contain_text("The server does not answer")
    expect(page.locator("#saved")).to_have_text(re.compile(r"^Row \d+ is \w+, as you say\."))
    expect(page.locator("#corrections-count")).to_contain_text("1 row ")


@pytest.mark.usefixtures("job_id")
def test_the_whole_row_is_a_press_away(page: Page) -> None:
    row = page.locator("#review-rows .row").first
    row.get_by_text("Whole row").click()
    expect(row.get_by_text("ISBN")).to_be_visible()
