"""A workbook's way: converted once while the job is planned, labelled like any catalogue, gone at the end."""

from __future__ import annotations

import io
import uuid
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from catalogue.compressed.xlsx_reader import xlsx_schema, xlsx_to_csv
from jobs.errors import LeaseLost
from jobs.files.storage import input_path, job_folder, upload_path
from jobs.job import NewJob, State
from tests.worker.worker_harness import Desk
from worker.tasks.plan import convert_workbook

MOST = 1 << 30


@pytest.fixture
def desk(tmp_path: Path, tiny_model_target: str) -> Desk:
    return Desk(tmp_path, tiny_model_target)


def workbook(rows: int) -> bytes:
    stream = io.BytesIO()
    book = openpyxl.Workbook(write_only=True)
    sheet: Any = book.create_sheet()
    sheet.append(("id", "summary"))
    for n in range(rows):
        sheet.append((n, f'a murder, a "detective"\nand {n}'))
    book.save(stream)
    return stream.getvalue()


def submit(desk: Desk, content: bytes, kept: bytes | None = None) -> str:
    """A job of the workbook, of which the storage has `kept`."""
    job_id = uuid.uuid4().hex
    with desk.storage.publish(upload_path(job_id)) as stream:
        stream.write(content if kept is None else kept)
    layout = xlsx_schema(io.BytesIO(content), max_bytes=MOST)
    desk.store.jobs.create(
        NewJob(id=job_id, filename="b.xlsx", input_bytes=len(content), layout=layout.to_dict())
    )
    desk.messages.plan(job_id)
    return job_id


def test_every_row_of_a_workbook_comes_back_in_order(desk: Desk) -> None:
    job_id = submit(desk, workbook(10))
    desk.work()
    job = desk.store.jobs.get(job_id)
    assert (job.state, job.row_counts.labelled) == (State.COMPLETED, 10)
    header, *rows = desk.result(job_id)
    assert header[:3] == ["\ufeffid", "summary", "predicted_genre"]
    assert [row[:2] for row in rows] == [
        [str(n), f'a murder, a "detective"\nand {n}'] for n in range(10)
    ]
    assert upload_path(job_id).rpartition("/")[2] not in desk.storage.names(job_folder(job_id))


def test_a_conversion_that_is_cut_short_leaves_no_input_and_is_done_again(desk: Desk) -> None:
    content = workbook(3000)
    job_id = submit(desk, content)

    def lose() -> None:
        raise LeaseLost(job_id, "plan")

    with pytest.raises(LeaseLost):
        convert_workbook(desk.services, job_id, lose)
    assert desk.storage.names(job_folder(job_id)) == ["upload"]
    for _ in range(2):
        convert_workbook(desk.services, job_id, lambda: None)
        with desk.storage.open(input_path(job_id)) as stream:
            assert stream.read() == b"".join(xlsx_to_csv(io.BytesIO(content), max_bytes=MOST))


def test_a_workbook_that_turns_out_to_be_damaged_fails_its_job_with_a_reason(desk: Desk) -> None:
    content = workbook(3000)
    middle = len(content) // 2
    job_id = submit(desk, content, content[:middle] + bytes(50) + content[middle + 50 :])
    desk.work()
    job = desk.store.jobs.get(job_id)
    assert job.state is State.FAILED
    assert job.failure is not None
    assert job.failure.code == "WORKBOOK_UNREADABLE"


def test_a_workbook_that_is_gone_fails_its_job(desk: Desk) -> None:
    job_id = submit(desk, workbook(3))
    desk.storage.delete(upload_path(job_id))
    desk.work()
    failure = desk.store.jobs.get(job_id).failure
    assert failure is not None
    assert failure.code == "INPUT_MISSING"
