"""An upload whose job was recorded, but whose reply from Redis was lost, keeps its input; one that was not leaves none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from werkzeug.test import TestResponse

from cli.local_stack.data.redis_server import RedisServer
from jobs.files.storage import input_path, job_folder
from jobs.ports.job_store import JobStore
from jobs.ports.record.upload_registry import UPLOAD_LOST_AFTER_S
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.api.conftest import ApiHarness
from tests.redis_proxy import RedisProxy

CATALOGUE = b"title,summary\nA,some words\n"
KEY = {"Idempotency-Key": "nightly"}
# A field that only the script which creates a job is given.
CREATE = b"input_bytes"


@dataclass
class Linked:
    """The API over a real Redis, by a link that can be cut."""

    harness: ApiHarness
    link: RedisProxy
    record: JobStore  # past the link

    def send(self, **headers: str) -> TestResponse:
        answer = self.harness.client().post("/v1/jobs", data=CATALOGUE, headers=headers)
        assert isinstance(answer, TestResponse)
        return answer

    def stored(self, job_id: str) -> bytes:
        with self.harness.storage.open(input_path(job_id)) as stream:
            return bytes(stream.read())


@pytest.fixture
def linked(harness: ApiHarness, redis_server: RedisServer, redis_url: str) -> Iterator[Linked]:
    with RedisProxy(redis_server.socket) as link:
        harness.store = redis_job_store(redis_client(link.url))
        linked = Linked(harness, link, redis_job_store(redis_client(redis_url)))
        linked.send()  # Redis knows the scripts from now on
        job_id = linked.record.jobs.newest(limit=1)[0].id
        harness.label(job_id)
        harness.assemble(job_id)
        harness.client().delete(f"/v1/jobs/{job_id}")
        yield linked


@pytest.mark.parametrize("headers", [{}, KEY], ids=["without-key", "with-key"])
def test_a_job_whose_reply_was_lost_keeps_its_input_and_completes(
    linked: Linked, headers: dict[str, str]
) -> None:
    linked.link.cut(CREATE, "reply")
    first = linked.send(**headers)
    assert linked.link.cuts == 1
    made = linked.record.jobs.newest(limit=9)
    assert [linked.stored(job.id) for job in made] == [CATALOGUE]
    assert linked.record.leases.find_abandoned(made[0].id, idle_s=0).plan, "the sweep sends it"
    again = linked.send(**headers)
    assert (first.status_code, again.status_code) == (503, 202)
    assert again.json is not None
    if headers:
        assert again.json["id"] == made[0].id
        assert again.headers["Idempotency-Replayed"] == "true"
    for job in linked.record.jobs.newest(limit=9):
        linked.harness.label(job.id)
        assert linked.stored(job.id) == CATALOGUE
        assert linked.harness.assemble(job.id).state == "completed"


@pytest.mark.parametrize("headers", [{}, KEY], ids=["without-key", "with-key"])
def test_a_job_that_was_never_made_leaves_its_input_to_the_sweep_of_lost_uploads(
    linked: Linked, headers: dict[str, str]
) -> None:
    linked.link.cut(CREATE, "request")
    assert linked.send(**headers).status_code == 503
    assert linked.link.cuts == 1
    assert not linked.record.jobs.newest(limit=1)
    (lost,) = linked.record.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S)
    linked.harness.storage.delete(job_folder(lost))
    assert not linked.harness.storage.names("")
    again = linked.send(**headers)
    assert again.status_code == 202
    assert again.json is not None
    assert linked.stored(again.json["id"]) == CATALOGUE
