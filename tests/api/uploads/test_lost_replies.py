"""An upload keeps its input if its job was created, although Redis' reply was lost; else not."""

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
# An argument that only the script which creates jobs gets.
CREATE = b"input_bytes"


@dataclass
class ProxiedApi:
    """The API over a real Redis, through a proxy that can cut the connection."""

    harness: ApiHarness
    proxy: RedisProxy
    store: JobStore  # not through the proxy

    def post_job(self, **headers: str) -> TestResponse:
        response = self.harness.client().post("/v1/jobs", data=CATALOGUE, headers=headers)
        assert isinstance(response, TestResponse)
        return response

    def stored_input(self, job_id: str) -> bytes:
        with self.harness.storage.open(input_path(job_id)) as stream:
            return bytes(stream.read())


@pytest.fixture
def proxied(harness: ApiHarness, redis_server: RedisServer, redis_url: str) -> Iterator[ProxiedApi]:
    with RedisProxy(redis_server.socket) as proxy:
        harness.store = redis_job_store(redis_client(proxy.url))
        proxied = ProxiedApi(harness, proxy, redis_job_store(redis_client(redis_url)))
        proxied.post_job()  # loads the scripts into Redis
        job_id = proxied.store.jobs.newest(limit=1)[0].id
        harness.label(job_id)
        harness.assemble(job_id)
        harness.client().delete(f"/v1/jobs/{job_id}")
        yield proxied


@pytest.mark.parametrize("headers", [{}, KEY], ids=["without-key", "with-key"])
def test_a_job_whose_creation_reply_was_lost_keeps_its_input_and_completes(
    proxied: ProxiedApi, headers: dict[str, str]
) -> None:
    proxied.proxy.cut(CREATE, "reply")
    first = proxied.post_job(**headers)
    assert proxied.proxy.cuts == 1
    created = proxied.store.jobs.newest(limit=9)
    assert [proxied.stored_input(job.id) for job in created] == [CATALOGUE]
    assert proxied.store.leases.find_abandoned(created[0].id, idle_s=0).plan, "recovery enqueues it"
    again = proxied.post_job(**headers)
    assert (first.status_code, again.status_code) == (503, 202)
    assert again.json is not None
    if headers:
        assert again.json["id"] == created[0].id
        assert again.headers["Idempotency-Replayed"] == "true"
    for job in proxied.store.jobs.newest(limit=9):
        proxied.harness.label(job.id)
        assert proxied.stored_input(job.id) == CATALOGUE
        assert proxied.harness.assemble(job.id).state == "completed"


@pytest.mark.parametrize("headers", [{}, KEY], ids=["without-key", "with-key"])
def test_the_input_of_a_job_that_was_not_created_expires_as_a_lost_upload(
    proxied: ProxiedApi, headers: dict[str, str]
) -> None:
    proxied.proxy.cut(CREATE, "request")
    assert proxied.post_job(**headers).status_code == 503
    assert proxied.proxy.cuts == 1
    assert not proxied.store.jobs.newest(limit=1)
    (lost,) = proxied.store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S)
    proxied.harness.storage.delete(job_folder(lost))
    assert not proxied.harness.storage.names("")
    again = proxied.post_job(**headers)
    assert again.status_code == 202
    assert again.json is not None
    assert proxied.stored_input(again.json["id"]) == CATALOGUE
