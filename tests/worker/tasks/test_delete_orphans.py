"""Old folders without a job record are deleted, and no others."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from jobs.files.storage import Storage, input_path
from jobs.ports.record.upload_registry import UPLOAD_LOST_AFTER_S, UPLOAD_REFUSED_FOR_S
from tests.worker.worker_harness import WorkerHarness, catalogue
from worker.settings import WorkerSettings
from worker.tasks.delete_orphans import delete_orphans

OLD_S = 3 * 86_400


class AgedStorage(Storage):
    """Its clock can be advanced."""

    ahead_s = 0.0

    def now(self) -> float:
        return super().now() + self.ahead_s


@pytest.fixture(params=["folder", "objects"])
def harness(request: pytest.FixtureRequest, tmp_path: Path) -> WorkerHarness:
    harness = WorkerHarness(tmp_path, "127.0.0.1:1")
    url = str(tmp_path) if request.param == "folder" else f"memory://{uuid.uuid4().hex}"
    harness.use(storage=AgedStorage(url))
    return harness


def write(harness: WorkerHarness, job_id: str) -> None:
    with harness.storage.publish(input_path(job_id)) as stream:
        stream.write(b"x")


def test_an_old_folder_without_a_record_is_deleted_and_one_of_a_job_is_kept(
    harness: WorkerHarness,
) -> None:
    job_id = harness.submit(catalogue(3))
    write(harness, "orphan")
    delete_orphans(harness.services)
    assert harness.storage.exists(input_path("orphan"))  # too young: it may be an upload
    assert isinstance(harness.storage, AgedStorage)
    harness.storage.ahead_s = OLD_S
    delete_orphans(harness.services)
    assert not harness.storage.exists(input_path("orphan"))
    assert harness.storage.exists(input_path(job_id))
    assert harness.storage.names("checks") == []


def test_a_folder_with_a_recently_changed_file_is_kept(tmp_path: Path) -> None:
    harness = WorkerHarness(tmp_path, "127.0.0.1:1")
    write(harness, "upload")
    folder = tmp_path / "jobs" / "upload"
    long_ago = harness.storage.now() - OLD_S
    os.utime(folder, (long_ago, long_ago))
    delete_orphans(harness.services)
    assert folder.exists()
    os.utime(folder / "input", (long_ago, long_ago))
    delete_orphans(harness.services)
    assert not folder.exists()


def test_an_empty_folder_that_is_old_is_deleted(tmp_path: Path) -> None:
    harness = WorkerHarness(tmp_path, "127.0.0.1:1")
    (tmp_path / "jobs" / "empty").mkdir(parents=True)
    os.utime(tmp_path / "jobs" / "empty", (0, 0))
    delete_orphans(harness.services)
    assert not (tmp_path / "jobs" / "empty").exists()


def test_a_storage_without_jobs_is_accepted(harness: WorkerHarness) -> None:
    delete_orphans(harness.services)


def test_the_minimum_age_must_exceed_that_of_an_upload_that_can_still_become_a_job() -> None:
    with pytest.raises(ValueError, match="orphan_min_age_s"):
        WorkerSettings(orphan_min_age_s=UPLOAD_LOST_AFTER_S + UPLOAD_REFUSED_FOR_S - 1)
