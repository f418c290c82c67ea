"""A workbook is converted once by planning, labelled like any catalogue and then deleted."""

from __future__ import annotations

import io
import uuid
from typing import Any

import openpyxl
import pytest

from catalogue.compressed.xlsx_reader import xlsx_schema, xlsx_to_csv
from jobs.errors import LeaseLost
from jobs.files.storage import input_path, job_folder, upload_path
from jobs.job import NewJob, State
from tests.worker.worker_harness import WorkerHarness
from worker.tasks.plan import convert_workbook

MAX_BYTES = 1 << 30


def workbook(rows: int) -> bytes:
    stream = io.BytesIO()
    book = openpyxl.Workbook(write_only=True)
    sheet: Any = book.create_sheet()
    sheet.append(("id", "summary"))
    for n in range(rows):
        sheet.append((n, f'a murder, a "detective"\nand {n}'))
    book.save(stream)
    return stream.getvalue()


def submit(harness: WorkerHarness, content: bytes, stored: bytes | None = None) -> str:
    """A job of the workbook whose stored file has the bytes `stored`."""
    job_id = uuid.uuid4().hex
    with harness.storage.publish(upload_path(job_id)) as stream:
        stream.write(content if stored is None else stored)
    schema = xlsx_schema(io.BytesIO(content), max_bytes=MAX_BYTES)
    harness.store.jobs.create(
        NewJob(id=job_id, filename="b.xlsx", input_bytes=len(content), schema=schema)
    )
    harness.queue.plan(job_id)
    return job_id


def test_every_row_of_a_workbook_is_labelled_in_order(harness: WorkerHarness) -> None:
    job_id = submit(harness, workbook(10))
    harness.work()
    job = harness.store.jobs.get(job_id)
    assert (job.state, job.row_counts.labelled) == (State.COMPLETED, 10)
    header, *rows = harness.result(job_id)
    assert header[:3] == ["\ufeffid", "summary", "predicted_genre"]
    assert [row[:2] for row in rows] == [
        [str(n), f'a murder, a "detective"\nand {n}'] for n in range(10)
    ]
    assert upload_path(job_id).rpartition("/")[2] not in harness.storage.names(job_folder(job_id))


def test_an_interrupted_conversion_leaves_no_input_and_is_repeated(
    harness: WorkerHarness,
) -> None:
    content = workbook(3000)
    job_id = submit(harness, content)

    def lose() -> None:
        raise LeaseLost(job_id, "plan")

    with pytest.raises(LeaseLost):
        convert_workbook(harness.services, job_id, lose)
    assert harness.storage.names(job_folder(job_id)) == ["upload"]
    for _ in range(2):
        convert_workbook(harness.services, job_id, lambda: None)
        with harness.storage.open(input_path(job_id)) as stream:
            assert stream.read() == b"".join(xlsx_to_csv(io.BytesIO(content), max_bytes=MAX_BYTES))


def test_a_damaged_workbook_fails_its_job_with_a_reason(
    harness: WorkerHarness,
) -> None:
    content = workbook(3000)
    middle = len(content) // 2
    job_id = submit(harness, content, content[:middle] + bytes(50) + content[middle + 50 :])
    harness.work()
    job = harness.store.jobs.get(job_id)
    assert job.state is State.FAILED
    assert job.failure is not None
    assert job.failure.code == "WORKBOOK_UNREADABLE"


def test_a_missing_workbook_fails_its_job(harness: WorkerHarness) -> None:
    job_id = submit(harness, workbook(3))
    harness.storage.delete(upload_path(job_id))
    harness.work()
    failure = harness.store.jobs.get(job_id).failure
    assert failure is not None
    assert failure.code == "INPUT_MISSING"
