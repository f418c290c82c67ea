"""Lists of jobs, filtered and paginated with cursors, with a bounded number of reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.http.parameters import ListQuery
from api.jobs.pagination import find_jobs
from api.jobs.scoped_store import ScopedJobStore
from catalogue.parsing.schema import CatalogueSchema
from jobs.files.storage import Storage
from jobs.job import Job, State
from jobs.memory.job_store import memory_job_store
from jobs.memory.record.job_repository import MemoryJobRepository
from jobs.memory.record.state import MemoryState
from tests.api.callers import make_caller
from tests.api.client import ApiClient
from tests.api.conftest import ApiHarness

Query = dict[str, Any]
ADMIN = make_caller("ann", is_admin=True)


@dataclass
class HarnessWithJobs(ApiHarness):
    """An API with four jobs, each created a second after the previous one."""

    job_ids: list[str] = field(default_factory=list)


@pytest.fixture
def jobs_harness(tmp_path: Path) -> HarnessWithJobs:
    harness = HarnessWithJobs(Storage(str(tmp_path / "storage")))
    seconds = iter(range(1_700_000_000, 1_700_100_000))
    now = [0.0]

    def submit(name: str) -> str:
        now[0] = float(next(seconds))
        return harness.submit(name=name)

    state = MemoryState(clock=lambda: now[0])
    harness.store = replace(memory_job_store(state), jobs=MeasuringRepository(state))
    harness.job_ids = [
        submit(name) for name in ("Alpha.csv", "beta.csv", "alphabet.tsv", "gamma.csv")
    ]
    return harness


def list_jobs(harness: ApiHarness, **query: Any) -> list[str]:
    """The ids of all pages, in order."""
    job_ids: list[str] = []
    after: str | None = None
    for _ in range(100):
        page = harness.client().get(
            "/v1/jobs", query_string={**query, **({"after": after} if after else {})}
        )
        assert page.status_code == 200, page.text
        job_ids += [job["id"] for job in page.json["jobs"]]
        after = page.json["next"]
        if after is None:
            return job_ids
    raise AssertionError("the list does not end")


def timestamp(seconds: int) -> str:
    return datetime.fromtimestamp(1_700_000_000 + seconds, UTC).isoformat().replace("+00:00", "Z")


def test_jobs_are_filtered_by_part_of_their_filename_ignoring_case(
    jobs_harness: HarnessWithJobs,
) -> None:
    first, _, third, _ = jobs_harness.job_ids
    assert list_jobs(jobs_harness, filename="ALPHA") == [third, first]
    assert list_jobs(jobs_harness, filename="nothing") == []


def test_jobs_are_filtered_by_creation_time(jobs_harness: HarnessWithJobs) -> None:
    first, second, third, fourth = jobs_harness.job_ids
    assert list_jobs(jobs_harness, created_after=timestamp(2)) == [fourth, third]
    assert list_jobs(jobs_harness, created_before=timestamp(2)) == [second, first]
    assert list_jobs(jobs_harness, created_after=timestamp(1), created_before=timestamp(3)) == [
        third,
        second,
    ]


def test_jobs_are_filtered_by_one_or_several_states(jobs_harness: HarnessWithJobs) -> None:
    first, second, third, fourth = jobs_harness.job_ids
    jobs_harness.store.jobs.end(first, State.CANCELLED)
    jobs_harness.assemble(first)
    jobs_harness.store.jobs.end(second, State.CANCELLED)
    assert list_jobs(jobs_harness, state="cancelled") == [first]
    assert list_jobs(jobs_harness, state=["cancelled", "cancelling"]) == [second, first]
    assert list_jobs(jobs_harness, state="queued", limit=1) == [fourth, third]


class MeasuringRepository(MemoryJobRepository):
    """Records the limit of each read, and fails on reads of schemas."""

    def __init__(self, state: MemoryState) -> None:
        super().__init__(state)
        self.limits: list[int] = []

    def newest(
        self, *, limit: int, before: str | None = None, owner: str | None = None
    ) -> Sequence[Job]:
        self.limits.append(limit)
        return super().newest(limit=limit, before=before, owner=owner)

    def schema(self, job_id: str) -> CatalogueSchema:
        raise AssertionError(f"a list needs no schema of {job_id}")


def find_all(harness: ApiHarness, query: Query, **bounds: int) -> list[str]:
    """The ids of all pages, by `find_jobs` itself."""
    jobs, job_ids, after = ScopedJobStore(harness.store, lambda: ADMIN), [], None
    while True:
        page, after = find_jobs(jobs, ListQuery(**query, after=after), **bounds)
        job_ids += [job.id for job in page]
        if after is None:
            return job_ids


def test_a_selective_filter_reads_a_bounded_number_of_jobs(jobs_harness: HarnessWithJobs) -> None:
    jobs = ScopedJobStore(jobs_harness.store, lambda: ADMIN)
    query = ListQuery(filename="Alpha.csv")
    page, after = find_jobs(jobs, query, max_read=2, batch_size=1)
    assert (page, after) == ([], jobs_harness.job_ids[2])
    assert find_all(jobs_harness, {"filename": "Alpha.csv"}, max_read=2, batch_size=1) == [
        jobs_harness.job_ids[0]
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 100])
@pytest.mark.parametrize("query", [{}, {"state": [State.QUEUED]}])
def test_every_job_is_listed_once_for_any_page_size(
    jobs_harness: HarnessWithJobs, limit: int, batch_size: int, query: Query
) -> None:
    assert (
        find_all(jobs_harness, {"limit": limit, **query}, batch_size=batch_size)
        == jobs_harness.job_ids[::-1]
    )
    assert list_jobs(jobs_harness, limit=limit, **query) == jobs_harness.job_ids[::-1]


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_page_reads_one_job_more_than_it_shows(jobs_harness: HarnessWithJobs, limit: int) -> None:
    jobs_harness.client().get("/v1/jobs", query_string={"limit": limit})
    assert isinstance(jobs_harness.store.jobs, MeasuringRepository)
    assert jobs_harness.store.jobs.limits == [limit + 1]


@pytest.mark.parametrize(
    "query",
    [
        {"state": "done"},
        {"created_after": "yesterday"},
        {"created_after": "0"},
        {"created_before": "2026-01-31"},
        {"created_before": "2026-01-31T12:00:00"},
        {"created_before": "2026-13-31T12:00:00Z"},
    ],
)
def test_an_invalid_filter_is_refused_by_name(client: ApiClient, query: Query) -> None:
    response = client.get("/v1/jobs", query_string=query)
    assert (response.status_code, response.get_json()["code"]) == (400, "INVALID_PARAMETER")
    assert next(iter(query)) in response.get_json()["detail"]
