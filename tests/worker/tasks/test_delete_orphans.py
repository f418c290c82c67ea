"""Folders that no record knows are deleted once they are old, and no others."""

from __future__ import annotations

import os
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.files.storage import Storage, input_path
from jobs.ports.upload_registry import UPLOAD_LOST_AFTER_S, UPLOAD_REFUSED_FOR_S
from tests.worker.worker_harness import Desk, catalogue
from worker.settings import WorkerSettings
from worker.tasks.delete_orphans import delete_orphans

OLD_S = 3 * 86_400


class Aged(Storage):
    """Its clock can be put forward."""

    ahead_s = 0.0

    def now(self) -> float:
        return super().now() + self.ahead_s


@pytest.fixture(params=["folder", "objects"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, "127.0.0.1:1")
    url = str(tmp_path) if request.param == "folder" else f"memory://{uuid.uuid4().hex}"
    desk.storage = Aged(url)
    desk.services = replace(desk.services, storage=desk.storage)
    return desk


def write(desk: Desk, job_id: str) -> None:
    with desk.storage.publish(input_path(job_id)) as stream:
        stream.write(b"x")


def test_an_old_folder_without_a_record_is_deleted_and_a_job_keeps_its_own(desk: Desk) -> None:
    job_id = desk.submit(catalogue(3))
    write(desk, "orphan")
    delete_orphans(desk.services)
    assert desk.storage.exists(input_path("orphan"))  # too young: it may be an upload
    assert isinstance(desk.storage, Aged)
    desk.storage.ahead_s = OLD_S
    delete_orphans(desk.services)
    assert not desk.storage.exists(input_path("orphan"))
    assert desk.storage.exists(input_path(job_id))
    assert desk.storage.names("checks") == []


def test_a_folder_in_which_a_file_has_changed_lately_stays(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "127.0.0.1:1")
    write(desk, "upload")
    folder = tmp_path / "jobs" / "upload"
    long_ago = desk.storage.now() - OLD_S
    os.utime(folder, (long_ago, long_ago))
    delete_orphans(desk.services)
    assert folder.exists()
    os.utime(folder / "input", (long_ago, long_ago))
    delete_orphans(desk.services)
    assert not folder.exists()


def test_an_empty_folder_that_is_old_is_deleted(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "127.0.0.1:1")
    (tmp_path / "jobs" / "empty").mkdir(parents=True)
    os.utime(tmp_path / "jobs" / "empty", (0, 0))
    delete_orphans(desk.services)
    assert not (tmp_path / "jobs" / "empty").exists()


def test_without_jobs_there_is_nothing_to_do(desk: Desk) -> None:
    delete_orphans(desk.services)


def test_no_folder_is_deleted_of_which_a_job_can_still_be_made() -> None:
    with pytest.raises(ValueError, match="orphan_min_age_s"):
        WorkerSettings(orphan_min_age_s=UPLOAD_LOST_AFTER_S + UPLOAD_REFUSED_FOR_S - 1)
