"""Assembly: chunk outputs are verified, and damaged ones are labelled again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.files.chunk_output import write_chunk_output
from jobs.files.storage import chunk_outputs_folder, errors_path, input_path, result_path
from jobs.job import State
from jobs.memory.job_store import memory_job_store
from jobs.memory.record.chunk_ledger import MemoryChunkLedger
from jobs.memory.record.state import MemoryState
from jobs.ports.record.chunk_ledger import Commit
from jobs.ports.record.step_leases import Claim, label_step
from jobs.queue.task_queue import LABEL_TASK
from tests.worker.worker_harness import WorkerHarness, catalogue


def labelled_job(harness: WorkerHarness, content: bytes) -> tuple[str, list[Path]]:
    """A job whose assembly is queued, and its chunk outputs."""
    job_id = harness.submit(content)
    harness.work(until=lambda: harness.store.jobs.get(job_id).state is State.FINALIZING)
    folder = Path(str(harness.storage.open(input_path(job_id)).name)).parent / "parts"
    return job_id, sorted(folder.iterdir())


@pytest.mark.parametrize("damage", ["truncated", "removed", "altered"])
def test_a_damaged_chunk_output_is_labelled_again(harness: WorkerHarness, damage: str) -> None:
    intact = harness.run(catalogue(10))
    job_id, outputs = labelled_job(harness, catalogue(10))
    content = outputs[1].read_bytes()
    if damage == "removed":
        outputs[1].unlink()
    else:
        outputs[1].write_bytes(content[:-1] if damage == "truncated" else content[:-2] + b"x\n")
    harness.work()
    job = harness.store.jobs.get(job_id)
    assert (job.state, job.row_counts.labelled, job.row_counts.pending) == (State.COMPLETED, 10, 0)
    assert harness.result(job_id) == harness.result(intact.id)
    assert harness.storage.names(chunk_outputs_folder(job_id)) == []


def test_a_damaged_error_list_is_written_again(harness: WorkerHarness) -> None:
    job_id, outputs = labelled_job(harness, b"id,summary\n1,\n2,a murder\n")
    outputs[1].write_bytes(b"")
    harness.work()
    assert harness.store.jobs.get(job_id).row_counts.failed == 1
    listed = harness.storage.read_range(errors_path(job_id), 0, 1 << 20).decode().splitlines()
    assert [line.split(",")[:2] for line in listed[1:]] == [["1", "EMPTY_SUMMARY"]]


def test_a_cancelled_job_keeps_and_counts_its_intact_chunks_only(
    harness: WorkerHarness,
) -> None:
    job_id = harness.submit(catalogue(10))
    harness.work(until=lambda: harness.store.jobs.get(job_id).chunks_done == 2)
    folder = Path(str(harness.storage.open(input_path(job_id)).name)).parent / "parts"
    sorted(folder.iterdir())[0].unlink()
    harness.store.jobs.end(job_id, State.CANCELLED)
    harness.queue.assemble(job_id)
    harness.work()
    job = harness.store.jobs.get(job_id)
    assert (job.state, job.row_counts.labelled) == (State.CANCELLED, 3)
    assert [row[0] for row in harness.result(job_id)[1:]] == ["3", "4", "5"]


def test_a_late_worker_does_not_replace_the_chunk_output_of_its_successor(
    harness: WorkerHarness,
) -> None:
    intact = harness.run(catalogue(10))
    job_id = harness.submit(catalogue(10))
    harness.work(until=lambda: harness.queue.sent[0][0] == LABEL_TASK)
    late = harness.store.leases.claim(job_id, label_step(0), lease_s=1)
    assert late is not None
    harness.now += 2  # suspended for longer than its lease
    harness.work(until=lambda: harness.store.jobs.get(job_id).state is State.FINALIZING)
    write_chunk_output(harness.storage, late, 0, rows=b"other rows\n", errors=b"")
    harness.work()
    assert harness.result(job_id) == harness.result(intact.id)


def test_an_assembly_interrupted_after_publishing_is_completed(harness: WorkerHarness) -> None:
    intact = harness.run(catalogue(10))
    job_id, _ = labelled_job(harness, catalogue(10))
    for path in (result_path, errors_path):
        with (
            harness.storage.open(path(intact.id)) as source,
            harness.storage.publish(path(job_id)) as target,
        ):
            target.write(source.read())
    harness.storage.delete(chunk_outputs_folder(job_id))
    harness.work()
    assert harness.store.jobs.get(job_id).state is State.COMPLETED
    assert harness.result(job_id) == harness.result(intact.id)


class LossyLedger(MemoryChunkLedger):
    """Omits the manifest of one committed chunk, like a damaged record."""

    lost: int | None = None

    def manifests(self, job_id: str) -> Mapping[int, str]:
        manifests = super().manifests(job_id)
        return {index: text for index, text in manifests.items() if index != self.lost}

    def reopen(self, claim: Claim, indices: Sequence[int]) -> Commit:
        self.lost = None
        return super().reopen(claim, indices)


def test_a_chunk_without_a_manifest_is_labelled_again_before_publication(
    harness: WorkerHarness,
) -> None:
    state = MemoryState()
    ledger = LossyLedger(state)
    store = replace(memory_job_store(state), chunks=ledger)
    harness.use(store=store)
    job_id, _ = labelled_job(harness, catalogue(10))
    ledger.lost = 2
    harness.work()
    job = harness.store.jobs.get(job_id)
    assert (job.state, job.row_counts.labelled, job.row_counts.pending) == (State.COMPLETED, 10, 0)
    assert [row[0] for row in harness.result(job_id)[1:]] == [str(n) for n in range(10)]


def test_temporary_files_of_dead_workers_are_deleted_when_the_job_ends(
    harness: WorkerHarness,
) -> None:
    job_id, outputs = labelled_job(harness, catalogue(10))
    folder = outputs[0].parent.parent
    (folder / ".result.csv.0123456789abcdef").write_bytes(b"half a result")
    (folder / "parts" / ".00000.2.0123456789abcdef").write_bytes(b"half a part")
    harness.work()
    assert harness.store.jobs.get(job_id).state is State.COMPLETED
    assert sorted(path.name for path in folder.iterdir()) == ["errors.csv", "input", "result.csv"]
