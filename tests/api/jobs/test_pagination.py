"""Lists of jobs by state, age and name, through cursors, with a bounded look per request."""

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
from tests.api.callers import somebody
from tests.api.client import ApiClient
from tests.api.conftest import ApiHarness

Query = dict[str, Any]
ANYBODY = somebody("ann", is_admin=True)


@dataclass
class Clocked(ApiHarness):
    """An API with some jobs, each made a second after the one before."""

    made: list[str] = field(default_factory=list)


@pytest.fixture
def clocked(tmp_path: Path) -> Clocked:
    harness = Clocked(Storage(str(tmp_path / "storage")))
    seconds = iter(range(1_700_000_000, 1_700_100_000))
    now = [0.0]

    def submit(name: str) -> str:
        now[0] = float(next(seconds))
        return harness.submit(name=name)

    state = MemoryState(clock=lambda: now[0])
    harness.store = replace(memory_job_store(state), jobs=MeasuringRepository(state))
    harness.made = [submit(name) for name in ("Alpha.csv", "beta.csv", "alphabet.tsv", "gamma.csv")]
    return harness


def listed(harness: ApiHarness, **query: Any) -> list[str]:
    """Every job that the pages show, in order."""
    found: list[str] = []
    after: str | None = None
    for _ in range(100):
        page = harness.client().get(
            "/v1/jobs", query_string={**query, **({"after": after} if after else {})}
        )
        assert page.status_code == 200, page.text
        found += [job["id"] for job in page.json["jobs"]]
        after = page.json["next"]
        if after is None:
            return found
    raise AssertionError("the list does not end")


def at(seconds: int) -> str:
    return datetime.fromtimestamp(1_700_000_000 + seconds, UTC).isoformat().replace("+00:00", "Z")


def test_jobs_are_found_by_a_part_of_their_name_in_any_case(clocked: Clocked) -> None:
    first, _, third, _ = clocked.made
    assert listed(clocked, filename="ALPHA") == [third, first]
    assert listed(clocked, filename="nothing") == []


def test_jobs_are_found_by_their_age(clocked: Clocked) -> None:
    first, second, third, fourth = clocked.made
    assert listed(clocked, created_after=at(2)) == [fourth, third]
    assert listed(clocked, created_before=at(2)) == [second, first]
    assert listed(clocked, created_after=at(1), created_before=at(3)) == [third, second]


def test_jobs_are_found_by_one_state_or_several(clocked: Clocked) -> None:
    first, second, third, fourth = clocked.made
    clocked.store.jobs.end(first, State.CANCELLED)
    clocked.assemble(first)
    clocked.store.jobs.end(second, State.CANCELLED)
    assert listed(clocked, state="cancelled") == [first]
    assert listed(clocked, state=["cancelled", "cancelling"]) == [second, first]
    assert listed(clocked, state="queued", limit=1) == [fourth, third]


class MeasuringRepository(MemoryJobRepository):
    """Notes how many jobs are asked for at a time, and reads no schemas."""

    def __init__(self, state: MemoryState) -> None:
        super().__init__(state)
        self.asked: list[int] = []

    def newest(
        self, *, limit: int, before: str | None = None, owner: str | None = None
    ) -> Sequence[Job]:
        self.asked.append(limit)
        return super().newest(limit=limit, before=before, owner=owner)

    def schema(self, job_id: str) -> CatalogueSchema:
        raise AssertionError(f"a list needs no schema of {job_id}")


def find_all(harness: ApiHarness, query: Query, **bounds: int) -> list[str]:
    """Every job of all pages, by `find_jobs` itself."""
    jobs, found, after = ScopedJobStore(harness.store, lambda: ANYBODY), [], None
    while True:
        page, after = find_jobs(jobs, ListQuery(**query, after=after), **bounds)
        found += [job.id for job in page]
        if after is None:
            return found


def test_a_filter_that_leaves_much_out_reads_a_bounded_number_of_jobs(clocked: Clocked) -> None:
    jobs = ScopedJobStore(clocked.store, lambda: ANYBODY)
    query = ListQuery(filename="Alpha.csv")
    found, after = find_jobs(jobs, query, max_read=2, batch_size=1)
    assert (found, after) == ([], clocked.made[2])
    assert find_all(clocked, {"filename": "Alpha.csv"}, max_read=2, batch_size=1) == [
        clocked.made[0]
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("at_once", [1, 2, 3, 4, 100])
@pytest.mark.parametrize("query", [{}, {"state": [State.QUEUED]}])
def test_every_job_is_listed_once_whatever_the_page(
    clocked: Clocked, limit: int, at_once: int, query: Query
) -> None:
    assert find_all(clocked, {"limit": limit, **query}, batch_size=at_once) == clocked.made[::-1]
    assert listed(clocked, limit=limit, **query) == clocked.made[::-1]


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_page_reads_one_job_more_than_it_shows(clocked: Clocked, limit: int) -> None:
    clocked.client().get("/v1/jobs", query_string={"limit": limit})
    assert isinstance(clocked.store.jobs, MeasuringRepository)
    assert clocked.store.jobs.asked == [limit + 1]


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
def test_a_filter_that_cannot_be_is_refused_by_name(client: ApiClient, query: Query) -> None:
    answer = client.get("/v1/jobs", query_string=query)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "INVALID_PARAMETER")
    assert next(iter(query)) in answer.get_json()["detail"]
