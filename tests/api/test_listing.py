"""Lists of jobs by state, age and name, through cursors, with a bounded look per request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.jobs import listing
from jobs.job import State
from jobs.memory_store import MemoryJobStore

Query = dict[str, Any]


@pytest.fixture
def clocked(front: Any) -> Any:
    """Each job is made a second after the one before."""
    seconds = iter(range(1_700_000_000, 1_700_100_000))
    now = [0.0]

    def submit(name: str) -> str:
        now[0] = float(next(seconds))
        return str(front.submit(name=name))

    front.store = MemoryJobStore(clock=lambda: now[0])
    front.made = [submit(name) for name in ("Alpha.csv", "beta.csv", "alphabet.tsv", "gamma.csv")]
    return front


def listed(front: Any, **query: Any) -> list[str]:
    """Every job that the pages show, in order."""
    found: list[str] = []
    after: str | None = None
    for _ in range(100):
        page = front.client().get(
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


def test_jobs_are_found_by_a_part_of_their_name_in_any_case(clocked: Any) -> None:
    first, _, third, _ = clocked.made
    assert listed(clocked, filename="ALPHA") == [third, first]
    assert listed(clocked, filename="nothing") == []


def test_jobs_are_found_by_their_age(clocked: Any) -> None:
    first, second, third, fourth = clocked.made
    assert listed(clocked, created_after=at(2)) == [fourth, third]
    assert listed(clocked, created_before=at(2)) == [second, first]
    assert listed(clocked, created_after=at(1), created_before=at(3)) == [third, second]


def test_jobs_are_found_by_one_state_or_several(clocked: Any) -> None:
    first, second, third, fourth = clocked.made
    clocked.store.end(first, State.CANCELLED)
    clocked.assemble(first)
    clocked.store.end(second, State.CANCELLED)
    assert listed(clocked, state="cancelled") == [first]
    assert listed(clocked, state=["cancelled", "cancelling"]) == [second, first]
    assert listed(clocked, state="queued", limit=1) == [fourth, third]


def test_a_filter_that_leaves_much_out_looks_at_a_bounded_number_of_jobs(
    clocked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_LOOK_AT", 2)
    monkeypatch.setattr(listing, "_AT_ONCE", 1)
    page = clocked.client().get("/v1/jobs", query_string={"filename": "Alpha.csv"}).json
    assert (page["jobs"], page["next"]) == ([], clocked.made[2])
    assert listed(clocked, filename="Alpha.csv") == [clocked.made[0]]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("at_once", [1, 2, 3, 4, 100])
def test_every_job_is_listed_once_whatever_the_page(
    clocked: Any, monkeypatch: pytest.MonkeyPatch, limit: int, at_once: int
) -> None:
    monkeypatch.setattr(listing, "_AT_ONCE", at_once)
    assert listed(clocked, limit=limit) == clocked.made[::-1]


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
def test_a_filter_that_cannot_be_is_refused_by_name(client: FlaskClient, query: Query) -> None:
    answer = client.get("/v1/jobs", query_string=query)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "INVALID_PARAMETER")
    assert next(iter(query)) in answer.get_json()["detail"]
