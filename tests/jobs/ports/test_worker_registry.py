"""The contract of `WorkerRegistry`."""

from __future__ import annotations

import pytest
import redis

from jobs.ports.job_store import JobStore
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.jobs.conftest import PassTime


def test_a_worker_is_active_while_it_reports(pass_time: PassTime, store: JobStore) -> None:
    store.workers.report("w1", {"version": 3})
    store.workers.report("w2", None)
    models = {report.name: report.model for report in store.workers.active(within_s=5)}
    assert models == {"w1": {"version": 3}, "w2": None}
    pass_time(20)
    assert not store.workers.active(within_s=10)
    store.workers.report("w2", {"version": 4})
    assert [report.name for report in store.workers.active(within_s=10)] == ["w2"]


def test_the_progress_of_a_worker_ages_between_reports(
    pass_time: PassTime, store: JobStore
) -> None:
    def age_s() -> float | None:
        (report,) = store.workers.active(within_s=1000)
        return report.seconds_since_progress

    store.workers.report("w1", None)
    assert age_s() is None
    store.workers.report_progress("w1", age_s=7)
    store.workers.report_progress("another", age_s=0)
    assert age_s() == pytest.approx(7, abs=5)
    pass_time(60)
    store.workers.report("w1", None)
    assert age_s() == pytest.approx(67, abs=5)
    store.workers.report_progress("w1", age_s=0)
    assert age_s() == pytest.approx(0, abs=5)


def test_redis_deletes_the_progress_of_missing_workers_after_a_day(redis_url: str) -> None:
    workers = redis_job_store(redis_client(redis_url)).workers
    workers.report_progress("missing", age_s=86_460)
    workers.report_progress("new", age_s=0)
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        assert set(client.hkeys("spinelabel:workers:progress")) == {"new"}
