"""Job documents: read, list, cancel, delete."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import pytest

from api.jobs.job_ids import new_job_id
from jobs.files.storage import Storage
from jobs.job import Failure, State
from jobs.queue.task_queue import ASSEMBLE_TASK
from tests.api.client import ApiClient
from tests.api.conftest import ApiHarness


def test_a_new_job_has_no_progress_and_can_be_cancelled(harness: ApiHarness) -> None:
    job_id = harness.submit()
    document = harness.client().get(f"/v1/jobs/{job_id}").json
    assert document["row_counts"] == {"total": 0, "labelled": 0, "failed": 0, "pending": 0}
    assert document["total_is_final"] is False
    assert document["created_at"] == document["queued_at"]
    assert "completed_at" not in document
    assert document["error_counts"] == {}
    assert document["warnings"] == []
    unset = ("rows_per_second", "eta_seconds", "model_version", "error")
    assert [document[name] for name in unset] == [None] * 4
    assert document["links"] == {
        "self": f"/v1/jobs/{job_id}",
        "result": None,
        "errors": None,
        "cancel": f"/v1/jobs/{job_id}/cancel",
        "deliveries": None,
    }


def test_a_completed_job_has_counts_model_times_and_links(
    harness: ApiHarness,
) -> None:
    job_id = harness.submit()
    harness.label(job_id, rows=5, failed=2)
    harness.assemble(job_id)
    document = harness.client().get(f"/v1/jobs/{job_id}").json
    assert document["state"] == "completed"
    assert document["row_counts"] == {"total": 5, "labelled": 3, "failed": 2, "pending": 0}
    assert document["error_counts"] == {"EMPTY_SUMMARY": 2}
    assert document["warnings"] == []
    assert document["total_is_final"] is True
    assert document["model_version"] == 3
    assert document["rows_per_second"] > 0
    for state in ("queued", "validating", "in_progress", "finalizing", "completed"):
        assert document[f"{state}_at"].endswith("Z")
    assert document["links"]["result"] == f"/v1/jobs/{job_id}/result"
    assert document["links"]["errors"] == f"/v1/jobs/{job_id}/errors"
    assert document["links"]["cancel"] is None


@pytest.mark.parametrize(("failed", "words"), [(1, "1 row is not"), (1200, "1,200 rows are not")])
def test_a_job_warns_of_rows_in_other_languages(
    harness: ApiHarness, failed: int, words: str
) -> None:
    job_id = harness.submit()
    harness.label(job_id, rows=2000, failed=failed, error="UNSUPPORTED_LANGUAGE")
    (warning,) = harness.client().get(f"/v1/jobs/{job_id}").json["warnings"]
    assert (warning["code"], warning["rows"]) == ("UNSUPPORTED_LANGUAGE", failed)
    assert warning["message"].startswith(f"{words} in English")


def test_a_failed_job_has_its_error(harness: ApiHarness) -> None:
    job_id = harness.submit()
    harness.store.jobs.end(
        job_id, State.FAILED, Failure(code="MODEL_MISMATCH", message="Other model.")
    )
    harness.assemble(job_id)
    document = harness.client().get(f"/v1/jobs/{job_id}").json
    assert document["state"] == "failed"
    assert document["error"] == {"code": "MODEL_MISMATCH", "message": "Other model."}


class UnreachableStorage(Storage):
    """A storage whose every read fails."""

    def exists(self, path: str) -> bool:
        raise OSError(f"unreachable: {path}")

    def size(self, path: str) -> int:
        raise OSError(f"unreachable: {path}")

    def names(self, path: str) -> Sequence[str]:
        raise OSError(f"unreachable: {path}")

    def open(self, path: str) -> BinaryIO:
        raise OSError(f"unreachable: {path}")


def test_links_to_files_need_no_access_to_the_storage(harness: ApiHarness, tmp_path: Path) -> None:
    with_files, deleted, under_way = (
        harness.complete_job(),
        harness.complete_job(),
        harness.submit(),
    )
    harness.store.jobs.mark_files_deleted(deleted)
    harness.storage = UnreachableStorage(str(tmp_path))
    client = harness.client()
    listed = {job["id"]: job["links"] for job in client.get("/v1/jobs").json["jobs"]}
    for job_id, has_files in ((with_files, True), (deleted, False), (under_way, False)):
        links = client.get(f"/v1/jobs/{job_id}").json["links"]
        assert listed[job_id] == links
        expected = f"/v1/jobs/{job_id}" if has_files else None
        assert (links["result"], links["errors"]) == (
            expected and f"{expected}/result",
            expected and f"{expected}/errors",
        )


@pytest.mark.parametrize(
    "job_id", [new_job_id(), "job_1", "x", "job_" + "0" * 32 + ":chunks", "..%2F..%2Fetc"]
)
@pytest.mark.parametrize(
    ("method", "suffix"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("GET", "/result"),
        ("GET", "/errors"),
    ],
)
def test_an_unknown_job_is_not_found_on_any_route(
    client: ApiClient, job_id: str, method: str, suffix: str
) -> None:
    response = client.open(f"/v1/jobs/{job_id}{suffix}", method=method)
    assert response.status_code == 404
    assert response.get_json()["code"] in ("JOB_NOT_FOUND", "NOT_FOUND")


def test_the_list_is_newest_first_and_its_cursor_reaches_every_job_once(
    harness: ApiHarness,
) -> None:
    job_ids = [harness.submit() for _ in range(5)]
    listed: list[str] = []
    after: str | None = None
    while True:
        query = {"limit": "2"} | ({"after": after} if after else {})
        page = harness.client().get("/v1/jobs", query_string=query).json
        listed += [job["id"] for job in page["jobs"]]
        after = page["next"]
        if after is None:
            break
    assert listed == job_ids[::-1]


def test_a_list_without_jobs_is_empty(client: ApiClient) -> None:
    assert client.get("/v1/jobs").get_json() == {"jobs": [], "next": None}


@pytest.mark.parametrize("limit", ["0", "-1", "101", "many", "", "٣", "9" * 5000])
def test_an_invalid_limit_is_refused(client: ApiClient, limit: str) -> None:
    response = client.get("/v1/jobs", query_string={"limit": limit})
    assert (response.status_code, response.get_json()["code"]) == (400, "INVALID_PARAMETER")


@pytest.mark.parametrize("after", ["", "x", new_job_id()])
def test_an_unknown_cursor_is_refused(client: ApiClient, after: str) -> None:
    response = client.get("/v1/jobs", query_string={"after": after})
    assert (response.status_code, response.get_json()["code"]) == (400, "INVALID_CURSOR")


def test_cancelling_is_idempotent_and_enqueues_assembly_once(
    harness: ApiHarness,
) -> None:
    job_id = harness.submit()
    client = harness.client()
    for _ in range(2):
        response = client.post(f"/v1/jobs/{job_id}/cancel")
        assert response.status_code == 202
        assert response.json["state"] == "cancelling"
    assert harness.task_queue.sent[1:] == [(ASSEMBLE_TASK, job_id, None)]
    harness.assemble(job_id)
    response = client.post(f"/v1/jobs/{job_id}/cancel")
    assert (response.status_code, response.json["state"]) == (200, "cancelled")


def test_cancelling_a_finalizing_or_completed_job_changes_nothing(
    harness: ApiHarness,
) -> None:
    job_id = harness.submit()
    harness.label(job_id)
    for state in ("finalizing", "completed"):
        response = harness.client().post(f"/v1/jobs/{job_id}/cancel")
        assert (response.status_code, response.json["state"]) == (200, state)
        if state == "finalizing":
            harness.assemble(job_id)


def test_an_ended_job_is_deleted_with_all_its_files(harness: ApiHarness) -> None:
    job_id = harness.complete_job()
    response = harness.client().delete(f"/v1/jobs/{job_id}")
    assert (response.status_code, response.data) == (204, b"")
    assert harness.storage.names("") == []
    assert harness.client().get(f"/v1/jobs/{job_id}").status_code == 404


def test_an_active_job_is_not_deleted(harness: ApiHarness) -> None:
    job_id = harness.submit()
    response = harness.client().delete(f"/v1/jobs/{job_id}")
    assert (response.status_code, response.json["code"]) == (409, "JOB_NOT_ENDED")
    assert len(harness.storage.names("")) == 1


def test_job_ids_sort_by_age_and_are_unique() -> None:
    job_ids = [new_job_id() for _ in range(1000)]
    assert len(set(job_ids)) == 1000
    assert [job_id[:16] for job_id in job_ids] == sorted(job_id[:16] for job_id in job_ids)
