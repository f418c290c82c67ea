"""A job is seen on its way, through reloads and absences of the server."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.page.conftest import Photograph
from tests.stack import Stack, SuspendedWorker, many_rows

DONE = "Done: 6,000 rows labelled."
UNDER_WAY = re.compile(r"^[1-9][\d,]* of 6,000")


def begin(page: Page, worker: SuspendedWorker, mark: str) -> str:
    """Send a catalogue of new texts through the page, and let the worker label some of its rows."""
    page.get_by_label("Choose a file").set_input_files(
        {"name": f"{mark}.csv", "mimeType": "text/csv", "buffer": many_rows(mark)}
    )
    page.locator("#send").click()
    page.wait_for_url(re.compile(r"#/catalogue/job_"))
    job_id = page.url.rpartition("/")[2]
    worker.work_until_half_done(job_id)
    return job_id


def test_progress_rate_genres_and_latest_rows_are_shown_live(
    page: Page, stack: Stack, photograph: Photograph
) -> None:
    with stack.suspended_worker() as worker:
        job_id = begin(page, worker, "seagull")
        expect(page.locator("#job-state")).to_have_text("Labelling.")
        expect(page.locator("#figure-rows")).to_have_text(UNDER_WAY)
        expect(page.locator("#figure-rate")).to_have_text(re.compile(r"[\d,]+ a second"))
        expect(page.locator("#job-progress")).to_have_attribute("value", re.compile(r"0\.\d+"))
        expect(page.locator("#genre-list li").first).to_be_visible()
        expect(page.locator("#latest-rows li").first).to_contain_text("Book ")
        assert re.match(r"\d+ % · seagull\.csv", page.title())
        photograph(page, "under_way")
    expect(page.locator("#job-state")).to_contain_text(DONE)
    counts = [int(text.replace(",", "")) for text in page.locator(".genre-count").all_inner_texts()]
    assert sum(counts) == 6000
    assert stack.job(job_id)["state"] == "completed"


def test_a_reload_in_the_middle_of_a_job_goes_on(page: Page, stack: Stack) -> None:
    with stack.suspended_worker() as worker:
        begin(page, worker, "heron")
        page.reload()
        expect(page.get_by_role("heading", name="heron.csv")).to_be_visible()
        expect(page.locator("#figure-rows")).to_have_text(UNDER_WAY)
    expect(page.locator("#job-state")).to_contain_text(DONE)


def test_the_page_goes_on_by_itself_when_the_server_has_been_away(
    page: Page, stack: Stack, photograph: Photograph
) -> None:
    with stack.suspended_worker() as worker:
        begin(page, worker, "cormorant")
        banner = page.locator("#connection")
        with stack.without_api():
            expect(banner).to_contain_text("The server does not answer")
            photograph(page, "server_away")
        expect(banner).to_have_text("The server is back.")
        expect(page.locator("#figure-rows")).to_have_text(UNDER_WAY)
    expect(page.locator("#job-state")).to_contain_text(DONE)
    expect(page.locator("#connection-banner")).to_be_hidden()


def test_a_job_can_be_cancelled_and_keeps_what_was_finished(page: Page, stack: Stack) -> None:
    with stack.suspended_worker() as worker:
        begin(page, worker, "kittiwake")
        page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#job-state")).to_contain_text("Cancelled; what was finished")
    expect(page.get_by_role("link", name="Download the labelled catalogue")).to_be_visible()


def test_a_catalogue_can_be_deleted_but_not_by_one_press(page: Page, stack: Stack) -> None:
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


def test_a_job_that_is_not_there_is_said_so(page: Page) -> None:
    page.goto(f"/#/catalogue/job_{'0' * 32}")
    expect(page.get_by_role("alert")).to_contain_text("There is no job")
