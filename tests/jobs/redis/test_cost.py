"""What the record costs in Redis: one round trip for a write, and as much work with many jobs as with few."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from cli.local_stack.data.redis_server import RedisServer
from jobs.job import Chunk, NewJob, PinnedModel, State
from jobs.ports.job_store import JobStore
from jobs.ports.step_leases import ASSEMBLE, PLAN, label_step
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.redis_proxy import RedisProxy
from tests.small_schema import SCHEMA

CHUNKS = [Chunk(index=i, start=i, end=i + 1, first_row=i + 1, rows=1) for i in range(3)]


def create(store: JobStore, owner: str = "anna") -> str:
    new = NewJob(id=uuid.uuid4().hex, filename="c", input_bytes=1, schema=SCHEMA, owner=owner)
    return store.jobs.create(new, max_open=1_000_000).id


def live(store: JobStore, count: Callable[[str], None]) -> None:
    """A job's whole life; `count` is called after every method with its name."""
    job_id = uuid.uuid4().hex
    store.uploads.touch(job_id)
    count("announce_upload")
    new = NewJob(id=job_id, filename="c", input_bytes=1, schema=SCHEMA, owner="anna")
    store.jobs.create(new, max_open=9)
    count("create")
    claim = store.leases.claim(job_id, PLAN, lease_s=30)
    count("claim")
    assert claim is not None
    store.leases.renew(claim, lease_s=30)
    count("renew")
    store.leases.release(claim)
    count("release")
    store.leases.find_abandoned(job_id, idle_s=0)
    count("missing")
    claim = store.leases.claim(job_id, PLAN, lease_s=30)
    count("claim")
    assert claim is not None
    store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))
    count("begin_planning")
    store.chunks.add(claim, CHUNKS, last=True, window=3)
    count("add_chunks")
    claim = store.leases.claim(job_id, label_step(0), lease_s=30)
    count("claim")
    assert claim is not None
    store.chunks.commit(claim, 0, labelled=1, failed=0, manifest="s", window=3)
    count("commit_chunk")
    store.jobs.end(job_id, State.CANCELLED)
    count("end")
    claim = store.leases.claim(job_id, ASSEMBLE, lease_s=30)
    count("claim")
    assert claim is not None
    store.chunks.finish(claim)
    count("finish")
    store.jobs.past_retention(ended_s_ago=0, limit=9)
    count("keeping_files")
    store.jobs.without_files(ended_s_ago=0, limit=9)
    count("without_files")
    store.jobs.mark_files_deleted(job_id)
    count("files_deleted")
    store.workers.report("w", None)
    count("report_worker")
    store.workers.report_progress("w", age_s=1)
    count("report_progress")
    store.workers.active(within_s=9)
    count("workers")
    store.jobs.count_open("anna")
    count("open_jobs")
    store.jobs.newest(limit=100)
    count("newest")


def test_every_write_is_one_round_trip(redis_server: RedisServer, redis_url: str) -> None:
    assert redis_url
    with RedisProxy(redis_server.socket) as link:
        store = redis_job_store(redis_client(link.url))
        live(store, lambda _: None)  # Redis knows the scripts from now on
        trips: dict[str, int] = {}
        before = link.requests

        def count(name: str) -> None:
            nonlocal before
            trips[name] = max(trips.get(name, 0), link.requests - before)
            before = link.requests

        live(store, count)
    # These answer with the job as it then is, which is read after the script.
    assert {name for name, number in trips.items() if number != 1} == {"create", "end", "finish"}
    assert max(trips.values()) == 2


@pytest.fixture
def commands(redis_url: str) -> Callable[[], int]:
    """How many commands Redis has carried out, those within scripts among them."""
    client = redis.Redis.from_url(redis_url, decode_responses=True)

    def carried_out() -> int:
        stats = client.info("commandstats")
        assert isinstance(stats, dict)
        return sum(entry["calls"] for entry in stats.values())

    return carried_out


@pytest.mark.parametrize("owner", ["anna", "ben"])
def test_a_new_job_costs_the_same_however_many_are_open(
    redis_url: str, commands: Callable[[], int], owner: str
) -> None:
    store = redis_job_store(redis_client(redis_url))
    create(store, owner)

    def cost() -> int:
        before = commands()
        create(store, owner)
        assert store.jobs.count_open(owner) > 0
        return commands() - before

    few = cost()
    for _ in range(100):
        create(store, "anna")
    assert cost() == few


def test_a_wide_header_is_beside_the_record_and_goes_with_the_files(redis_url: str) -> None:
    store = redis_job_store(redis_client(redis_url))
    client = redis.Redis.from_url(redis_url, decode_responses=True, encoding_errors="replace")
    schema = replace(SCHEMA, header=tuple(f"a column with a name, {i}" for i in range(2_000)))
    new = NewJob(id=uuid.uuid4().hex, filename="c", input_bytes=1, schema=schema)
    store.jobs.create(new)
    assert store.jobs.schema(new.id) == schema
    as_json = len(json.dumps(schema.to_dict()))

    def held() -> int:
        keys = [key for key in client.scan_iter() if new.id in key]
        return sum(client.memory_usage(key, samples=0) or 0 for key in keys)

    assert held() < as_json / 3, "it is compressed"
    store.jobs.end(new.id, State.CANCELLED)
    claim = store.leases.claim(new.id, ASSEMBLE, lease_s=30)
    assert claim is not None
    store.chunks.finish(claim)
    store.jobs.mark_files_deleted(new.id)
    # The schema took more than 5,000; what is left is the record itself.
    assert held() < 1_500
