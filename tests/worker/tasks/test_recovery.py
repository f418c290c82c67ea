"""Repeated, lost and interrupted steps; deadlines and retention."""

from __future__ import annotations

from pathlib import Path

from jobs.files.storage import input_path, result_path
from jobs.job import State
from jobs.ports.record.step_leases import label_step
from jobs.ports.record.upload_registry import UPLOAD_LOST_AFTER_S
from jobs.queue.task_queue import PLAN_TASK
from tests.worker.worker_harness import WorkerHarness, catalogue
from worker.tasks.assemble import assemble_job
from worker.tasks.clean_storage import clean_storage
from worker.tasks.expire_jobs import expire_jobs
from worker.tasks.label import label_chunk
from worker.tasks.plan import plan_job
from worker.tasks.recover_jobs import recover_jobs


def test_a_repeated_message_has_no_further_effect(harness: WorkerHarness) -> None:
    job_id = harness.submit(catalogue(10))
    harness.queue.sent *= 2
    while harness.queue.sent:
        harness.queue.sent.append(harness.queue.sent[0])
        harness.work(until=lambda: harness.store.jobs.get(job_id).is_terminal)
        if harness.store.jobs.get(job_id).is_terminal:
            break
    assert harness.store.jobs.get(job_id).row_counts.labelled == 10
    before = harness.result(job_id)
    for step in (plan_job, assemble_job):
        step(harness.services, job_id)
    label_chunk(harness.services, job_id, 0)
    assert harness.result(job_id) == before


def test_the_abandoned_steps_of_a_dead_worker_are_completed(harness: WorkerHarness) -> None:
    job_id = harness.submit(catalogue(10))
    harness.work(until=lambda: harness.store.jobs.get(job_id).chunks_done == 1)
    index = harness.queue.sent[0][2]
    assert index is not None
    harness.store.leases.claim(job_id, label_step(index), lease_s=1)
    harness.queue.sent.clear()  # the worker dies, and its messages are lost
    harness.now += 2
    for abandoned in harness.store.leases.find_abandoned(job_id, idle_s=0).chunks:
        harness.queue.label(job_id, abandoned)
    harness.work()
    assert harness.store.jobs.get(job_id).state is State.COMPLETED
    assert [row[0] for row in harness.result(job_id)[1:]] == [str(n) for n in range(10)]


def test_only_the_lost_message_is_enqueued_again(
    harness: WorkerHarness,
) -> None:
    lost, waiting = harness.submit(catalogue(3)), harness.submit(catalogue(3))
    harness.queue.sent.pop(0)
    harness.now += 5
    recover_jobs(harness.services)
    assert harness.queue.sent == [(PLAN_TASK, waiting, None), (PLAN_TASK, lost, None)]
    harness.work()
    assert {harness.store.jobs.get(job_id).state for job_id in (lost, waiting)} == {State.COMPLETED}


def test_a_job_past_its_deadline_expires_and_keeps_the_labelled_rows(
    tmp_path: Path, tiny_model_target: str
) -> None:
    harness = WorkerHarness(tmp_path, tiny_model_target, job_deadline_s=60.0)
    job_id = harness.submit(catalogue(10))
    harness.work(until=lambda: harness.store.jobs.get(job_id).chunks_done == 1)
    harness.now += 61
    expire_jobs(harness.services)
    harness.work()
    job = harness.store.jobs.get(job_id)
    assert job.state is State.EXPIRED
    assert job.failure is not None
    assert job.failure.code == "DEADLINE_EXCEEDED"
    assert len(harness.result(job_id)) == 1 + job.row_counts.processed


def test_the_files_of_a_job_are_deleted_at_the_end_of_their_retention(
    tmp_path: Path, tiny_model_target: str
) -> None:
    harness = WorkerHarness(tmp_path, tiny_model_target, retention_s=60.0)
    job = harness.run(catalogue(3))
    clean_storage(harness.services)
    assert harness.storage.exists(result_path(job.id))
    harness.now += 61
    clean_storage(harness.services)
    assert harness.storage.names(f"jobs/{job.id}") == []
    assert harness.store.jobs.get(job.id).files_deleted_at is not None


def test_the_files_of_a_lost_upload_are_deleted_and_no_others(
    tmp_path: Path,
) -> None:
    harness = WorkerHarness(tmp_path, "127.0.0.1:1", cleanup_interval_s=UPLOAD_LOST_AFTER_S / 2)
    waiting = harness.submit(catalogue(3))
    for job_id in ("dead", "alive"):
        harness.store.uploads.touch(job_id)
        with harness.storage.publish(f"jobs/{job_id}/.input.0123456789abcdef") as stream:
            stream.write(b"half a catalogue")
    clean_storage(harness.services)
    assert harness.storage.names("jobs/dead")
    harness.store.uploads.touch("alive")
    clean_storage(harness.services)
    assert not (tmp_path / "jobs" / "dead").exists()
    assert harness.storage.names("jobs/alive")
    assert harness.storage.exists(input_path(waiting))
