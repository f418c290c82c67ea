"""plan → label → assemble over a real model server; store and messages in memory."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from catalogue.labelled.labels import OptionalColumns
from jobs.files.chunk_output import write_chunk_output
from jobs.files.storage import chunk_outputs_folder, errors_path, input_path, result_path
from jobs.job import State
from jobs.memory.chunk_ledger import MemoryChunkLedger
from jobs.memory.job_store import memory_job_store
from jobs.memory.state import MemoryState
from jobs.ports.chunk_ledger import Commit
from jobs.ports.step_leases import PLAN, Claim, label_step
from jobs.ports.upload_registry import UPLOAD_LOST_AFTER_S
from jobs.queue.task_queue import LABEL_TASK, PLAN_TASK
from tests.waiting import eventually
from tests.worker.conftest import build_model
from tests.worker.worker_harness import Desk, catalogue
from worker.tasks.assemble import assemble_job
from worker.tasks.clean_storage import clean_storage
from worker.tasks.expire_jobs import expire_jobs
from worker.tasks.label import label_chunk
from worker.tasks.plan import plan_job
from worker.tasks.recover_jobs import recover_jobs


@pytest.fixture
def desk(tmp_path: Path, tiny_model_target: str) -> Desk:
    return Desk(tmp_path, tiny_model_target)


def test_a_catalogue_of_several_chunks_comes_back_whole_and_in_order(desk: Desk) -> None:
    job = desk.run(catalogue(10))
    assert job.state is State.COMPLETED
    assert (job.row_counts.labelled, job.chunks, job.chunks_done) == (10, 4, 4)
    assert [row[0] for row in desk.result(job.id)[1:]] == [str(n) for n in range(10)]
    assert all(row[2] for row in desk.result(job.id))
    assert job.genre_counts == Counter(row[2] for row in desk.result(job.id)[1:])
    assert desk.storage.names(chunk_outputs_folder(job.id)) == []


def test_a_file_that_ends_every_worker_that_plans_it_fails_the_job_and_says_so(
    tmp_path: Path, tiny_model_target: str
) -> None:
    desk = Desk(tmp_path, tiny_model_target, max_attempts=2, lease_s=0.05)
    job_id = desk.submit(catalogue(4))
    for _ in range(2):  # workers that die while they hold the step
        assert desk.store.leases.claim(job_id, PLAN, lease_s=0.05) is not None
        time.sleep(0.1)
    desk.work()
    job = desk.store.jobs.get(job_id)
    assert job.state is State.FAILED
    assert job.failure is not None
    assert job.failure.code == "PLANNING_FAILED"


@pytest.mark.parametrize(("threshold", "needs_review"), [(0.0, "false"), (1.0, "true")])
def test_the_caller_says_below_which_confidence_rows_need_review(
    desk: Desk, threshold: float, needs_review: str
) -> None:
    job_id = desk.submit(catalogue(4), review_threshold=threshold)
    desk.work()
    header, *rows = desk.result(job_id)
    assert {row[header.index("needs_review")] for row in rows} == {needs_review}


def test_the_result_lists_as_many_alternatives_as_were_asked_for(desk: Desk) -> None:
    job = desk.run(catalogue(4), OptionalColumns(alternatives=3))
    header, *rows = desk.result(job.id)
    assert header[-2:] == ["row_error", "alternatives"]
    for row in rows:
        found = dict(zip(header, row, strict=True))
        names, chances = zip(
            *(cell.split(":") for cell in found["alternatives"].split("|")), strict=True
        )
        assert len(names) == 3
        assert names[0] == found["second_genre"]
        assert chances[0] == found["second_confidence"]
        assert list(chances) == sorted(chances, reverse=True)
        assert found["predicted_genre"] not in names


def test_row_errors_are_data_and_are_listed_with_their_row_numbers(desk: Desk) -> None:
    content = b"id,summary\n1,a murder\n2,\n3,a murder,shifted\n4\n5,!!!\n6,the end of a murder\n"
    job = desk.run(content)
    assert (job.row_counts.labelled, job.row_counts.failed) == (2, 4)
    problems = [row[8] for row in desk.result(job.id)[1:]]
    assert problems == ["", "EMPTY_SUMMARY", "MALFORMED_ROW", "MALFORMED_ROW", "EMPTY_SUMMARY", ""]
    listed = desk.storage.read_range(errors_path(job.id), 0, 1 << 20).decode().splitlines()
    assert [line.split(",")[:2] for line in listed[1:]] == [
        ["2", "EMPTY_SUMMARY"],
        ["3", "MALFORMED_ROW"],
        ["4", "MALFORMED_ROW"],
        ["5", "EMPTY_SUMMARY"],
    ]


def test_blank_lines_stay_where_they_are(desk: Desk) -> None:
    job = desk.run(b"id,summary\n\n1,a murder\n\n\n2,a murder\n")
    assert job.row_counts.total == 2
    assert [bool(row) for row in desk.result(job.id)] == [True, False, True, False, False, True]


def test_a_message_processed_twice_changes_nothing(desk: Desk) -> None:
    job_id = desk.submit(catalogue(10))
    desk.messages.sent *= 2
    while desk.messages.sent:
        desk.messages.sent.append(desk.messages.sent[0])
        desk.work(until=lambda: desk.store.jobs.get(job_id).is_terminal)
        if desk.store.jobs.get(job_id).is_terminal:
            break
    assert desk.store.jobs.get(job_id).row_counts.labelled == 10
    before = desk.result(job_id)
    for step in (plan_job, assemble_job):
        step(desk.services, job_id)
    label_chunk(desk.services, job_id, 0)
    assert desk.result(job_id) == before


def test_missing_steps_sent_again_complete_what_a_dead_worker_left(desk: Desk) -> None:
    job_id = desk.submit(catalogue(10))
    desk.work(until=lambda: desk.store.jobs.get(job_id).chunks_done == 1)
    index = desk.messages.sent[0][2]
    assert index is not None
    desk.store.leases.claim(job_id, label_step(index), lease_s=0.01)  # and its holder dies
    desk.messages.sent.clear()  # with every message in its hands
    time.sleep(0.05)
    for missing in desk.store.leases.find_abandoned(job_id, idle_s=0).chunks:
        desk.messages.label(job_id, missing)
    desk.work()
    assert desk.store.jobs.get(job_id).state is State.COMPLETED
    assert [row[0] for row in desk.result(job_id)[1:]] == [str(n) for n in range(10)]


def test_a_job_over_its_deadline_expires_and_keeps_what_was_finished(
    tmp_path: Path, tiny_model_target: str
) -> None:
    desk = Desk(tmp_path, tiny_model_target, job_deadline_s=0.2)
    job_id = desk.submit(catalogue(10))
    desk.work(until=lambda: desk.store.jobs.get(job_id).chunks_done == 1)
    time.sleep(0.25)
    expire_jobs(desk.services)
    desk.work()
    job = desk.store.jobs.get(job_id)
    assert job.state is State.EXPIRED
    assert job.failure is not None
    assert job.failure.code == "DEADLINE_EXCEEDED"
    assert len(desk.result(job_id)) == 1 + job.row_counts.processed


def test_a_row_that_kills_every_worker_is_found_and_the_rest_is_labelled(
    tmp_path: Path, tiny_model_target: str
) -> None:
    desk = Desk(tmp_path, tiny_model_target, chunk_rows=8, max_attempts=2)
    job_id = desk.submit(catalogue(20))
    guilty = "13"

    def kills(index: int) -> bool:
        chunk = desk.store.chunks.get(job_id, index)
        raw = desk.storage.read_range(input_path(job_id), chunk.start, chunk.end).decode()
        return any(line.startswith(f"{guilty},") for line in raw.splitlines())

    for _ in range(200):
        job = desk.store.jobs.get(job_id)
        if job.is_terminal:
            break
        task, _, index = desk.messages.sent[0] if desk.messages.sent else ("", "", None)
        attempts = desk.deaths.get(index, 0) if index is not None else 0
        if task == LABEL_TASK and index is not None and kills(index) and attempts < 2:
            # The worker that takes this chunk dies with the lease in its hands.
            desk.messages.sent.pop(0)
            assert desk.store.leases.claim(job_id, label_step(index), lease_s=0.01) is not None
            desk.deaths[index] = attempts + 1
            time.sleep(0.02)
            desk.messages.label(job_id, index)
            continue
        chunks = job.chunks
        desk.work_once()
        if desk.store.jobs.get(job_id).chunks != chunks and index is not None:
            # Each half may kill one worker.
            desk.deaths[index] = desk.deaths[chunks] = 1
    job = desk.store.jobs.get(job_id)
    assert job.state is State.COMPLETED
    rows = desk.result(job_id)[1:]
    assert [row[0] for row in rows] == [str(n) for n in range(20)]
    assert [row[0] for row in rows if row[8]] == [guilty]
    assert rows[13][8] == "PROCESSING_FAILED"
    assert (job.row_counts.labelled, job.row_counts.failed) == (19, 1)


def test_without_a_model_server_the_job_waits_and_the_attempt_is_not_counted(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, "127.0.0.1:1")
    job_id = desk.submit(catalogue(3))
    desk.work()
    assert desk.store.jobs.get(job_id).state is State.QUEUED
    claim = desk.store.leases.claim(job_id, "plan", lease_s=1)
    assert claim is not None
    assert claim.attempt == 1


def test_a_model_with_other_cleaning_rules_is_refused(
    tmp_path: Path, foreign_model_target: str
) -> None:
    job = Desk(tmp_path, foreign_model_target).run(catalogue(3))
    assert job.state is State.FAILED
    assert job.failure is not None
    assert job.failure.code == "MODEL_MISMATCH"


def test_a_lost_input_fails_the_job_with_a_sentence(desk: Desk) -> None:
    job_id = desk.submit(catalogue(3))
    desk.storage.delete(input_path(job_id))
    desk.work()
    failure = desk.store.jobs.get(job_id).failure
    assert failure is not None
    assert failure.code == "INPUT_MISSING"


@pytest.mark.parametrize("word", ["poisonword", "nanword"])
def test_only_the_guilty_row_of_a_rejected_batch_is_in_error(desk: Desk, word: str) -> None:
    rows = [f"{n},a murder in number {'x' * n}" for n in range(3)]
    job = desk.run("\n".join(["id,summary", *rows[:2], f"9,the {word}", *rows[2:], ""]).encode())
    assert [row[8] for row in desk.result(job.id)[1:]] == ["", "", "MODEL_REJECTED", ""]


def test_a_job_whose_model_version_is_withdrawn_starts_over_and_mixes_no_versions(
    tmp_path: Path, two_versions: tuple[str, Path]
) -> None:
    target, models = two_versions
    alone = Desk(tmp_path / "alone", target).run(catalogue(10))
    desk = Desk(tmp_path / "disturbed", target)
    job_id = desk.submit(catalogue(10))
    desk.work(until=lambda: desk.store.jobs.get(job_id).chunks_done == 2)
    assert desk.store.jobs.get(job_id).model_version == 2
    shutil.rmtree(models / "2")
    eventually(lambda: desk.services.models.client.versions()[0] == 1)
    desk.work()
    job = desk.store.jobs.get(job_id)
    assert (job.state, job.model_version) == (State.COMPLETED, 1)
    assert job.row_counts.labelled == 10
    only_old = Desk(tmp_path / "old", target).run(catalogue(10))
    assert only_old.model_version == 1
    assert alone.model_version == 2
    old = Desk(tmp_path / "old", target)
    assert desk.result(job_id) == old.result(only_old.id)


def test_a_job_with_too_many_bad_rows_stops_and_keeps_what_was_finished(desk: Desk) -> None:
    content = b"id,summary\n" + b"1,\n" * 12 + catalogue(6).partition(b"\n")[2]
    job_id = desk.submit(content, error_threshold=0.1)
    desk.work()
    job = desk.store.jobs.get(job_id)
    assert job.state is State.FAILED
    assert job.failure is not None
    assert job.failure.code == "ERROR_THRESHOLD"
    assert len(desk.result(job_id)) - 1 == job.row_counts.processed < 18


def test_retention_deletes_the_files_and_says_so(tmp_path: Path, tiny_model_target: str) -> None:
    desk = Desk(tmp_path, tiny_model_target, retention_s=0.1)
    job = desk.run(catalogue(3))
    clean_storage(desk.services)
    assert desk.storage.exists(result_path(job.id))
    time.sleep(0.15)
    clean_storage(desk.services)
    assert desk.storage.names(f"jobs/{job.id}") == []
    assert desk.store.jobs.get(job.id).files_deleted_at is not None


def test_the_files_of_an_upload_whose_process_died_are_deleted_and_no_other(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, "127.0.0.1:1", cleanup_interval_s=UPLOAD_LOST_AFTER_S / 2)
    waiting = desk.submit(catalogue(3))
    for job_id in ("dead", "alive"):
        desk.store.uploads.touch(job_id)
        with desk.storage.publish(f"jobs/{job_id}/.input.0123456789abcdef") as stream:
            stream.write(b"half a catalogue")
    clean_storage(desk.services)
    assert desk.storage.names("jobs/dead")
    desk.store.uploads.touch("alive")
    clean_storage(desk.services)
    assert not (tmp_path / "jobs" / "dead").exists()
    assert desk.storage.names("jobs/alive")
    assert desk.storage.exists(input_path(waiting))


def test_a_newer_version_that_cannot_be_used_does_not_stop_new_jobs(
    tmp_path: Path, two_versions: tuple[str, Path]
) -> None:
    target, models = two_versions
    build_model(models, "3", fingerprint="0" * 64)
    desk = Desk(tmp_path, target)
    eventually(lambda: desk.services.models.client.versions()[0] == 3)
    job = desk.run(catalogue(3))
    assert (job.state, job.model_version) == (State.COMPLETED, 2)


def labelled_but_not_assembled(desk: Desk, content: bytes) -> tuple[str, list[Path]]:
    """A job that waits for its assembly, and its parts."""
    job_id = desk.submit(content)
    desk.work(until=lambda: desk.store.jobs.get(job_id).state is State.FINALIZING)
    folder = Path(str(desk.storage.open(input_path(job_id)).name)).parent / "parts"
    return job_id, sorted(folder.iterdir())


@pytest.mark.parametrize("damage", ["truncated", "removed", "altered"])
def test_a_damaged_part_is_labelled_again(desk: Desk, damage: str) -> None:
    whole = desk.run(catalogue(10))
    job_id, parts = labelled_but_not_assembled(desk, catalogue(10))
    content = parts[1].read_bytes()
    if damage == "removed":
        parts[1].unlink()
    else:
        parts[1].write_bytes(content[:-1] if damage == "truncated" else content[:-2] + b"x\n")
    desk.work()
    job = desk.store.jobs.get(job_id)
    assert (job.state, job.row_counts.labelled, job.row_counts.pending) == (State.COMPLETED, 10, 0)
    assert desk.result(job_id) == desk.result(whole.id)
    assert desk.storage.names(chunk_outputs_folder(job_id)) == []


def test_a_damaged_list_of_errors_is_made_again(desk: Desk) -> None:
    job_id, parts = labelled_but_not_assembled(desk, b"id,summary\n1,\n2,a murder\n")
    parts[1].write_bytes(b"")
    desk.work()
    assert desk.store.jobs.get(job_id).row_counts.failed == 1
    listed = desk.storage.read_range(errors_path(job_id), 0, 1 << 20).decode().splitlines()
    assert [line.split(",")[:2] for line in listed[1:]] == [["1", "EMPTY_SUMMARY"]]


def test_a_cancelled_job_serves_what_is_whole_and_counts_what_it_serves(desk: Desk) -> None:
    job_id = desk.submit(catalogue(10))
    desk.work(until=lambda: desk.store.jobs.get(job_id).chunks_done == 2)
    folder = Path(str(desk.storage.open(input_path(job_id)).name)).parent / "parts"
    sorted(folder.iterdir())[0].unlink()
    desk.store.jobs.end(job_id, State.CANCELLED)
    desk.messages.assemble(job_id)
    desk.work()
    job = desk.store.jobs.get(job_id)
    assert (job.state, job.row_counts.labelled) == (State.CANCELLED, 3)
    assert [row[0] for row in desk.result(job_id)[1:]] == ["3", "4", "5"]


def test_a_stale_worker_cannot_put_its_rows_in_the_place_of_its_heirs(desk: Desk) -> None:
    whole = desk.run(catalogue(10))
    job_id = desk.submit(catalogue(10))
    desk.work(until=lambda: desk.messages.sent[0][0] == LABEL_TASK)
    stale = desk.store.leases.claim(job_id, label_step(0), lease_s=0.01)
    assert stale is not None
    time.sleep(0.02)  # it was stopped for longer than its lease
    desk.work(until=lambda: desk.store.jobs.get(job_id).state is State.FINALIZING)
    write_chunk_output(desk.storage, stale, 0, rows=b"other rows\n", errors=b"")
    desk.work()
    assert desk.result(job_id) == desk.result(whole.id)


def test_an_assembly_that_died_before_the_jobs_end_is_finished(desk: Desk) -> None:
    whole = desk.run(catalogue(10))
    job_id, _ = labelled_but_not_assembled(desk, catalogue(10))
    for path in (result_path, errors_path):
        with desk.storage.open(path(whole.id)) as there, desk.storage.publish(path(job_id)) as here:
            here.write(there.read())
    desk.storage.delete(chunk_outputs_folder(job_id))
    desk.work()
    assert desk.store.jobs.get(job_id).state is State.COMPLETED
    assert desk.result(job_id) == desk.result(whole.id)


class ForgetfulLedger(MemoryChunkLedger):
    """Has lost one committed chunk, as a broken record would."""

    lost: int | None = None

    def manifests(self, job_id: str) -> Mapping[int, str]:
        found = super().manifests(job_id)
        return {index: text for index, text in found.items() if index != self.lost}

    def reopen(self, claim: Claim, indices: Sequence[int]) -> Commit:
        self.lost = None
        return super().reopen(claim, indices)


def test_a_job_that_counts_as_complete_but_lacks_a_chunk_is_not_published(desk: Desk) -> None:
    state = MemoryState()
    ledger = ForgetfulLedger(state)
    store = replace(memory_job_store(state), chunks=ledger)
    desk.store = store
    desk.services = replace(desk.services, store=store)
    job_id, _ = labelled_but_not_assembled(desk, catalogue(10))
    ledger.lost = 2
    desk.work()
    job = desk.store.jobs.get(job_id)
    assert (job.state, job.row_counts.labelled, job.row_counts.pending) == (State.COMPLETED, 10, 0)
    assert [row[0] for row in desk.result(job_id)[1:]] == [str(n) for n in range(10)]


def test_what_dead_attempts_left_unfinished_is_removed_with_the_jobs_end(desk: Desk) -> None:
    job_id, parts = labelled_but_not_assembled(desk, catalogue(10))
    folder = parts[0].parent.parent
    (folder / ".result.csv.0123456789abcdef").write_bytes(b"half a result")
    (folder / "parts" / ".00000.2.0123456789abcdef").write_bytes(b"half a part")
    desk.work()
    assert desk.store.jobs.get(job_id).state is State.COMPLETED
    assert sorted(path.name for path in folder.iterdir()) == ["errors.csv", "input", "result.csv"]


def test_an_input_that_vanishes_while_chunks_are_labelled_fails_the_job(desk: Desk) -> None:
    job_id = desk.submit(catalogue(10))
    desk.work(until=lambda: desk.store.jobs.get(job_id).chunks_done == 1)
    desk.storage.delete(input_path(job_id))
    desk.work()
    job = desk.store.jobs.get(job_id)
    assert job.failure is not None
    assert (job.state, job.failure.code) == (State.FAILED, "INPUT_MISSING")
    assert len(desk.result(job_id)) == 1 + job.row_counts.processed


def test_a_lost_message_is_sent_again_although_others_wait_and_those_are_not(desk: Desk) -> None:
    now = [1000.0]
    store = memory_job_store(MemoryState(clock=lambda: now[0]))
    desk.store = store
    desk.services = replace(desk.services, store=store)
    lost, waits = desk.submit(catalogue(3)), desk.submit(catalogue(3))
    desk.messages.sent.pop(0)
    now[0] += 5
    recover_jobs(desk.services)
    assert desk.messages.sent == [(PLAN_TASK, waits, None), (PLAN_TASK, lost, None)]
    desk.work()
    assert {store.jobs.get(job_id).state for job_id in (lost, waits)} == {State.COMPLETED}
