"""Steps of a user that several tests have."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from playwright.sync_api import Page

from tests.stack import SuspendedWorker, many_rows


def start_half_done_job(page: Page, worker: SuspendedWorker, mark: str) -> str:
    """Send a catalogue of new texts through the page, and let the worker label some of its rows."""
    page.get_by_label("Choose a file").set_input_files(
        {"name": f"{mark}.csv", "mimeType": "text/csv", "buffer": many_rows(mark)}
    )
    page.locator("#send").click()
    page.wait_for_url(re.compile(r"#/catalogue/job_"))
    job_id = page.url.rpartition("/")[2]
    worker.work_until_half_done(job_id)
    return job_id


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))
