"""The contract of `UploadRegistry`."""

from __future__ import annotations

import pytest

from jobs.errors import UploadLost
from jobs.job import State
from jobs.ports.job_store import JobStore
from jobs.ports.record.upload_registry import UPLOAD_LOST_AFTER_S, UPLOAD_REFUSED_FOR_S
from tests.jobs.steps import new_job


def test_a_silent_upload_is_lost_and_cannot_become_a_job(
    store: JobStore,
) -> None:
    job = new_job()
    store.uploads.touch(job.id)
    assert store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S - 1) == []
    assert store.uploads.expire(elapsed_s=1) == [job.id]
    for call in (lambda: store.uploads.touch(job.id), lambda: store.jobs.create(job)):
        with pytest.raises(UploadLost):
            call()
    assert store.jobs.active_ids() == []


def test_an_upload_that_continues_is_not_lost(store: JobStore) -> None:
    job = new_job()
    for _ in range(3):
        store.uploads.touch(job.id)
        assert store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S - 1) == []
    assert store.jobs.create(job).state is State.QUEUED


@pytest.mark.parametrize("end", ["create", "forget"])
def test_a_completed_or_forgotten_upload_is_not_lost(store: JobStore, end: str) -> None:
    job = new_job()
    store.uploads.touch(job.id)
    if end == "create":
        store.jobs.create(job)
    else:
        store.uploads.forget(job.id)
    assert store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S) == []


def test_a_lost_upload_is_returned_until_no_job_can_be_created_from_it(store: JobStore) -> None:
    store.uploads.touch("lost")
    for _ in range(3):  # cleaning may be interrupted before it deletes anything
        assert store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S) == ["lost"]
    assert store.uploads.expire(elapsed_s=UPLOAD_REFUSED_FOR_S) == []
    assert store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S) == []
