"""Progress of a job on the page, through reloads and outages of the server."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.page.conftest import SaveScreenshot
from tests.page.steps import start_half_done_job
from tests.stack import Stack

DONE = "Done: 6,000 rows labelled."
PARTLY_LABELLED = re.compile(r"^[1-9][\d,]* of 6,000")


def test_progress_rate_genres_and_latest_rows_are_shown_live(
    page: Page, stack: Stack, save_screenshot: SaveScreenshot
) -> None:
    with stack.suspended_worker() as worker:
        job_id = start_half_done_job(page, worker, "seagull")
        expect(page.locator("#job-state")).to_have_text("Labelling.")
        expect(page.locator("#figure-rows")).to_have_text(PARTLY_LABELLED)
        expect(page.locator("#figure-rate")).to_have_text(re.compile(r"[\d,]+ a second"))
        expect(page.locator("#job-progress")).to_have_attribute("value", re.compile(r"0\.\d+"))
        expect(page.locator("#genre-list li").first).to_be_visible()
        expect(page.locator("#latest-rows li").first).to_contain_text("Book ")
        assert re.match(r"\d+ % · seagull\.csv", page.title())
        save_screenshot(page, "under_way")
    expect(page.locator("#job-state")).to_contain_text(DONE)
    counts = [int(text.replace(",", "")) for text in page.locator(".genre-count").all_inner_texts()]
    assert sum(counts) == 6000
    assert stack.job(job_id)["state"] == "completed"


def test_progress_continues_after_a_reload(page: Page, stack: Stack) -> None:
    with stack.suspended_worker() as worker:
        start_half_done_job(page, worker, "heron")
        page.reload()
        expect(page.get_by_role("heading", name="heron.csv")).to_be_visible()
        expect(page.locator("#figure-rows")).to_have_text(PARTLY_LABELLED)
    expect(page.locator("#job-state")).to_contain_text(DONE)


def test_the_page_reconnects_after_an_outage_of_the_server(
    page: Page, stack: Stack, save_screenshot: SaveScreenshot
) -> None:
    with stack.suspended_worker() as worker:
        start_half_done_job(page, worker, "cormorant")
        banner = page.locator("#connection")
        with stack.without_api():
            expect(banner).to_contain_text("The server does not answer")
            save_screenshot(page, "server_away")
        expect(banner).to_have_text("The server is back.")
        expect(page.locator("#figure-rows")).to_have_text(PARTLY_LABELLED)
    expect(page.locator("#job-state")).to_contain_text(DONE)
    expect(page.locator("#connection-banner")).to_be_hidden()


def test_a_cancelled_job_keeps_the_finished_rows(page: Page, stack: Stack) -> None:
    with stack.suspended_worker() as worker:
        start_half_done_job(page, worker, "kittiwake")
        page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#job-state")).to_contain_text("Cancelled; the labelled rows")
    expect(page.get_by_role("link", name="Download the labelled catalogue")).to_be_visible()


def test_deleting_a_catalogue_needs_a_confirmation(page: Page, stack: Stack) -> None:
    job_id = stack.submit(b"summary\nA detective hunts a killer\n")
    stack.wait(job_id)
    page.goto(f"/#/catalogue/{job_id}")
    delete = page.get_by_role("button", name="Delete…")
    delete.click()
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(delete).to_be_focused()
    assert stack.job(job_id)
    delete.click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("heading", name="Genres for a whole catalogue")).to_be_focused()
    assert stack.http.get(f"/v1/jobs/{job_id}").status_code == 404


def test_an_unknown_job_is_reported(page: Page) -> None:
    page.goto(f"/#/catalogue/job_{'0' * 32}")
    expect(page.get_by_role("alert")).to_contain_text("There is no job")
