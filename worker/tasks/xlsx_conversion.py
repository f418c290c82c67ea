"""Turns an uploaded workbook into the CSV that the rest of a job reads."""

from __future__ import annotations

import logging
from collections.abc import Callable

from catalogue.compressed.xlsx_reader import xlsx_to_csv
from jobs.files.storage import input_path, upload_path
from worker.dependencies import Services

log = logging.getLogger(__name__)


def convert_workbook(services: Services, job_id: str, checkpoint: Callable[[], None]) -> None:
    """Write the job's input unless it is there; nothing for a job that was uploaded as text.

    `checkpoint` is called from time to time and may raise to stop the work. Raises `CatalogueError`, `OSError`.
    """
    storage = services.storage
    if storage.exists(input_path(job_id)) or not storage.exists(upload_path(job_id)):
        return
    size = 0
    with storage.open(upload_path(job_id)) as source, storage.publish(input_path(job_id)) as target:
        for block in xlsx_to_csv(source, max_bytes=services.settings.max_unpacked_bytes):
            checkpoint()
            size += target.write(block)
    log.info("%s: a workbook became %d bytes of CSV", job_id, size)
