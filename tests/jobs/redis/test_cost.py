"""The cost of the job record in Redis: round round_trips, commands and memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from cli.local_stack.data.redis_server import RedisServer
from jobs.job import PinnedModel, State
from jobs.ports.job_store import JobStore
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, label_step
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.jobs.steps import cancel, chunks, create, must_claim, new_job
from tests.redis_proxy import RedisProxy
from tests.small_schema import SCHEMA

MAX_OPEN = 1_000_000


def run_job(store: JobStore, count: Callable[[str], None]) -> None:
    """Run a job from its upload to its end; call `count` with the name of each method after it."""
    new = new_job("anna")
    job_id = new.id
    store.uploads.touch(job_id)
    count("touch")
    store.jobs.create(new, max_open=9)
    count("create")
    claim = must_claim(store, job_id, PLAN)
    count("claim")
    store.leases.renew(claim, lease_s=30)
    count("renew")
    store.leases.release(claim)
    count("release")
    store.leases.find_abandoned(job_id, idle_s=0)
    count("find_abandoned")
    claim = must_claim(store, job_id, PLAN)
    count("claim")
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))
    count("begin_planning")
    store.chunks.add(claim, chunks(1, 1, 1), last=True, window=3)
    count("add")
    claim = must_claim(store, job_id, label_step(0))
    count("claim")
    store.chunks.commit(claim, 0, labelled=1, failed=0, manifest="s", window=3)
    count("commit")
    store.jobs.end(job_id, State.CANCELLED)
    count("end")
    claim = must_claim(store, job_id, ASSEMBLE)
    count("claim")
    store.chunks.finish(claim)
    count("finish")
    store.jobs.past_retention(ended_s_ago=0, limit=9)
    count("past_retention")
    store.jobs.without_files(ended_s_ago=0, limit=9)
    count("without_files")
    store.jobs.mark_files_deleted(job_id)
    count("mark_files_deleted")
    store.workers.report("w", None)
    count("report")
    store.workers.report_progress("w", age_s=1)
    count("report_progress")
    store.workers.active(within_s=9)
    count("active")
    store.jobs.count_open("anna")
    count("count_open")
    store.jobs.newest(limit=100)
    count("newest")


def test_every_write_is_one_round_trip(redis_server: RedisServer, redis_url: str) -> None:
    assert redis_url
    with RedisProxy(redis_server.socket) as proxy:
        store = redis_job_store(redis_client(proxy.url))
        run_job(store, lambda _: None)  # loads the scripts
        round_trips: dict[str, int] = {}
        before = proxy.requests

        def count(name: str) -> None:
            nonlocal before
            round_trips[name] = max(round_trips.get(name, 0), proxy.requests - before)
            before = proxy.requests

        run_job(store, count)
    # These return the job, which is read after the script.
    assert {name for name, number in round_trips.items() if number != 1} == {
        "create",
        "end",
        "finish",
    }
    assert max(round_trips.values()) == 2


@pytest.fixture
def commands(redis_url: str) -> Callable[[], int]:
    """Number of commands that Redis has executed, including those of scripts."""
    client = redis.Redis.from_url(redis_url, decode_responses=True)

    def executed() -> int:
        stats = client.info("commandstats")
        assert isinstance(stats, dict)
        return sum(entry["calls"] for entry in stats.values())

    return executed


@pytest.mark.parametrize("owner", ["anna", "ben"])
def test_the_cost_of_a_new_job_does_not_depend_on_the_open_jobs(
    redis_url: str, commands: Callable[[], int], owner: str
) -> None:
    store = redis_job_store(redis_client(redis_url))
    create(store, owner, MAX_OPEN)

    def cost() -> int:
        before = commands()
        create(store, owner, MAX_OPEN)
        assert store.jobs.count_open(owner) > 0
        return commands() - before

    cost_with_few = cost()
    for _ in range(100):
        create(store, "anna", MAX_OPEN)
    assert cost() == cost_with_few


def test_the_schema_is_compressed_and_deleted_with_the_files(redis_url: str) -> None:
    store = redis_job_store(redis_client(redis_url))
    client = redis.Redis.from_url(redis_url, decode_responses=True, encoding_errors="replace")
    schema = replace(SCHEMA, header=tuple(f"a column with a name, {i}" for i in range(2_000)))
    new = replace(new_job(), schema=schema)
    store.jobs.create(new)
    assert store.jobs.schema(new.id) == schema
    as_json = len(json.dumps(schema.to_dict()))

    def memory_bytes() -> int:
        keys = [key for key in client.scan_iter() if new.id in key]
        return sum(client.memory_usage(key, samples=0) or 0 for key in keys)

    assert memory_bytes() < as_json / 3
    cancel(store, new.id)
    store.jobs.mark_files_deleted(new.id)
    # The schema took more than 5,000; what is left is the record itself.
    assert memory_bytes() < 1_500
