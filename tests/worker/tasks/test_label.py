"""Labelling: rows, row errors, optional columns and faults of the model."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from catalogue.labelled.labels import OptionalColumns
from jobs.files.storage import chunk_outputs_folder, errors_path, input_path
from jobs.job import State
from jobs.ports.record.step_leases import label_step
from jobs.queue.task_queue import LABEL_TASK
from tests.waiting import eventually
from tests.worker.worker_harness import WorkerHarness, catalogue


def test_a_catalogue_of_several_chunks_is_labelled_completely_and_in_order(
    harness: WorkerHarness,
) -> None:
    job = harness.run(catalogue(10))
    assert job.state is State.COMPLETED
    assert (job.row_counts.labelled, job.chunks, job.chunks_done) == (10, 4, 4)
    assert [row[0] for row in harness.result(job.id)[1:]] == [str(n) for n in range(10)]
    assert all(row[2] for row in harness.result(job.id))
    assert job.genre_counts == Counter(row[2] for row in harness.result(job.id)[1:])
    assert harness.storage.names(chunk_outputs_folder(job.id)) == []


@pytest.mark.parametrize(("threshold", "needs_review"), [(0.0, "false"), (1.0, "true")])
def test_rows_below_the_review_threshold_of_the_job_need_review(
    harness: WorkerHarness, threshold: float, needs_review: str
) -> None:
    job_id = harness.submit(catalogue(4), review_threshold=threshold)
    harness.work()
    header, *rows = harness.result(job_id)
    assert {row[header.index("needs_review")] for row in rows} == {needs_review}


def test_the_result_lists_the_requested_number_of_alternatives(harness: WorkerHarness) -> None:
    job = harness.run(catalogue(4), OptionalColumns(alternatives=3))
    header, *rows = harness.result(job.id)
    assert header[-2:] == ["row_error_detail", "alternatives"]
    for row in rows:
        cells = dict(zip(header, row, strict=True))
        names, probabilities = zip(
            *(cell.split(":") for cell in cells["alternatives"].split("|")), strict=True
        )
        assert len(names) == 3
        assert names[0] == cells["second_genre"]
        assert probabilities[0] == cells["second_confidence"]
        assert list(probabilities) == sorted(probabilities, reverse=True)
        assert cells["predicted_genre"] not in names


def test_row_errors_are_in_the_result_and_listed_with_their_row_numbers(
    harness: WorkerHarness,
) -> None:
    content = b"id,summary\n1,a murder\n2,\n3,a murder,shifted\n4\n5,!!!\n6,the end of a murder\n"
    job = harness.run(content)
    assert (job.row_counts.labelled, job.row_counts.failed) == (2, 4)
    assert job.error_counts == {"EMPTY_SUMMARY": 2, "MALFORMED_ROW": 2}
    errors = [row[8] for row in harness.result(job.id)[1:]]
    assert errors == ["", "EMPTY_SUMMARY", "MALFORMED_ROW", "MALFORMED_ROW", "EMPTY_SUMMARY", ""]
    listed = harness.storage.read_range(errors_path(job.id), 0, 1 << 20).decode().splitlines()
    assert [line.split(",")[:2] for line in listed[1:]] == [
        ["2", "EMPTY_SUMMARY"],
        ["3", "MALFORMED_ROW"],
        ["4", "MALFORMED_ROW"],
        ["5", "EMPTY_SUMMARY"],
    ]


def test_blank_lines_keep_their_place(harness: WorkerHarness) -> None:
    job = harness.run(b"id,summary\n\n1,a murder\n\n\n2,a murder\n")
    assert job.row_counts.total == 2
    assert [bool(row) for row in harness.result(job.id)] == [True, False, True, False, False, True]


@pytest.mark.parametrize("word", ["poisonword", "nanword"])
def test_only_the_offending_row_of_a_rejected_batch_has_an_error(
    harness: WorkerHarness, word: str
) -> None:
    rows = [f"{n},a murder in number {'x' * n}" for n in range(3)]
    job = harness.run("\n".join(["id,summary", *rows[:2], f"9,the {word}", *rows[2:], ""]).encode())
    assert [row[8] for row in harness.result(job.id)[1:]] == ["", "", "MODEL_REJECTED", ""]


def test_a_job_whose_model_version_is_withdrawn_restarts_and_mixes_no_versions(
    tmp_path: Path, two_versions: tuple[str, Path]
) -> None:
    target, models = two_versions
    undisturbed = WorkerHarness(tmp_path / "undisturbed", target).run(catalogue(10))
    harness = WorkerHarness(tmp_path / "disturbed", target)
    job_id = harness.submit(catalogue(10))
    harness.work(until=lambda: harness.store.jobs.get(job_id).chunks_done == 2)
    assert harness.store.jobs.get(job_id).model_version == 2
    shutil.rmtree(models / "2")
    eventually(lambda: harness.services.models.client.versions()[0] == 1)
    harness.work()
    job = harness.store.jobs.get(job_id)
    assert (job.state, job.model_version) == (State.COMPLETED, 1)
    assert job.row_counts.labelled == 10
    only_old = WorkerHarness(tmp_path / "old", target).run(catalogue(10))
    assert only_old.model_version == 1
    assert undisturbed.model_version == 2
    old = WorkerHarness(tmp_path / "old", target)
    assert harness.result(job_id) == old.result(only_old.id)


def test_a_job_above_its_error_threshold_stops_and_keeps_the_labelled_rows(
    harness: WorkerHarness,
) -> None:
    content = b"id,summary\n" + b"1,\n" * 12 + catalogue(6).partition(b"\n")[2]
    job_id = harness.submit(content, error_threshold=0.1)
    harness.work()
    job = harness.store.jobs.get(job_id)
    assert job.state is State.FAILED
    assert job.failure is not None
    assert job.failure.code == "ERROR_THRESHOLD"
    assert len(harness.result(job_id)) - 1 == job.row_counts.processed < 18


def test_an_input_deleted_during_labelling_fails_the_job(
    harness: WorkerHarness,
) -> None:
    job_id = harness.submit(catalogue(10))
    harness.work(until=lambda: harness.store.jobs.get(job_id).chunks_done == 1)
    harness.storage.delete(input_path(job_id))
    harness.work()
    job = harness.store.jobs.get(job_id)
    assert job.failure is not None
    assert (job.state, job.failure.code) == (State.FAILED, "INPUT_MISSING")
    assert len(harness.result(job_id)) == 1 + job.row_counts.processed


def test_a_row_that_kills_every_worker_is_isolated_and_the_rest_is_labelled(
    tmp_path: Path, tiny_model_target: str
) -> None:
    harness = WorkerHarness(tmp_path, tiny_model_target, chunk_rows=8, max_attempts=2)
    job_id = harness.submit(catalogue(20))
    offending = "13"

    deaths: dict[int, int] = {}  # of workers, by chunk

    def kills(index: int) -> bool:
        chunk = harness.store.chunks.get(job_id, index)
        raw = harness.storage.read_range(input_path(job_id), chunk.start, chunk.end).decode()
        return any(line.startswith(f"{offending},") for line in raw.splitlines())

    for _ in range(200):
        job = harness.store.jobs.get(job_id)
        if job.is_terminal:
            break
        task, _, index = harness.queue.sent[0] if harness.queue.sent else ("", "", None)
        attempts = deaths.get(index, 0) if index is not None else 0
        if task == LABEL_TASK and index is not None and kills(index) and attempts < 2:
            # The worker that claims this chunk dies.
            harness.queue.sent.pop(0)
            assert harness.store.leases.claim(job_id, label_step(index), lease_s=1) is not None
            deaths[index] = attempts + 1
            harness.now += 2
            harness.queue.label(job_id, index)
            continue
        chunks = job.chunks
        harness.work_once()
        if harness.store.jobs.get(job_id).chunks != chunks and index is not None:
            # The chunk was split; each half may kill one worker.
            deaths[index] = deaths[chunks] = 1
    job = harness.store.jobs.get(job_id)
    assert job.state is State.COMPLETED
    rows = harness.result(job_id)[1:]
    assert [row[0] for row in rows] == [str(n) for n in range(20)]
    assert [row[0] for row in rows if row[8]] == [offending]
    assert rows[13][8] == "PROCESSING_FAILED"
    assert (job.row_counts.labelled, job.row_counts.failed) == (19, 1)
