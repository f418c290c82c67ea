"""Prometheus metrics: values, access and bounded cardinality."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.dependencies import connect
from api.settings import ApiSettings
from jobs.api_keys import KeyLimits, generate_api_key
from jobs.job import Chunk, PinnedModel
from jobs.memory.job_store import memory_job_store
from jobs.memory.record.state import MemoryState
from jobs.metrics import ChunkMetrics
from jobs.ports.record.step_leases import PLAN, label_step
from tests.api.client import ApiClient, client_of
from tests.api.conftest import ApiHarness, ApiProcess
from tests.stack import free_port
from tests.waiting import WITHIN_S


def scrape(client: ApiClient) -> dict[str, Metric]:
    response = client.get("/metrics")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {family.name: family for family in text_string_to_metric_families(response.text)}


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    (match,) = [
        sample.value
        for family in families.values()
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    ]
    return match


def test_jobs_rows_and_queues_match_the_store(harness: ApiHarness) -> None:
    now = 1_000_000.0
    harness.store = memory_job_store(MemoryState(lambda: now))
    harness.complete_job()
    harness.submit()
    harness.store.workers.report("one", {"version": 4, "labels": []})
    harness.store.workers.report("two", None)
    now += 3
    metrics = scrape(harness.client())
    assert value(metrics, "spinelabel_store_up") == 1
    assert value(metrics, "spinelabel_jobs", state="queued") == 1
    assert value(metrics, "spinelabel_jobs", state="in_progress") == 0
    assert value(metrics, "spinelabel_jobs_ended_total", state="completed") == 1
    assert value(metrics, "spinelabel_rows_total", outcome="labelled") == 2
    assert value(metrics, "spinelabel_queue_messages", queue="control") == 2
    assert value(metrics, "spinelabel_workers", model="reached") == 1
    assert value(metrics, "spinelabel_workers", model="missing") == 1
    assert value(metrics, "spinelabel_model_version") == 4
    assert value(metrics, "spinelabel_worker_report_age_seconds") == 3
    assert value(metrics, "spinelabel_storage_free_bytes") > 0


def test_the_work_of_workers_has_counters_and_histograms(harness: ApiHarness) -> None:
    now = 1_000_000.0
    harness.store = memory_job_store(MemoryState(lambda: now))
    job_id = harness.submit()
    now += 3
    claim = harness.store.leases.claim(job_id, PLAN, lease_s=60)
    assert claim is not None
    harness.store.chunks.begin_planning(claim, model=PinnedModel(3, "d3"))
    chunk = Chunk(index=0, start=0, end=10, first_row=1, rows=9)
    harness.store.chunks.add(claim, [chunk], last=True, window=1)
    claim = harness.store.leases.claim(job_id, label_step(0), lease_s=60)
    assert claim is not None
    harness.store.chunks.commit(
        claim,
        0,
        labelled=7,
        failed=2,
        manifest="",
        window=1,
        genres={'space "opera"': 7},
        errors={"EMPTY_SUMMARY": 2},
        metrics=ChunkMetrics(
            duration_s=1.5,
            model_calls_s={"predict": [0.2, 40.0]},
            cache_hits=5,
            cache_misses=1,
        ),
    )
    metrics = scrape(harness.client())

    def of(name: str, **labels: str) -> float:
        return value(metrics, f"spinelabel_{name}", **labels)

    assert of("labelled_rows_total", genre='space "opera"') == 7
    assert of("row_errors_total", code="EMPTY_SUMMARY") == 2
    assert of("row_errors_total", code="MODEL_REJECTED") == 0
    assert of("chunk_duration_seconds_bucket", le="1.0") == 0
    assert of("chunk_duration_seconds_bucket", le="2.5") == 1
    assert of("chunk_duration_seconds_bucket", le="+Inf") == 1
    assert of("chunk_duration_seconds_sum") == 1.5
    assert of("model_call_duration_seconds_bucket", call="predict", le="30.0") == 1
    assert of("model_call_duration_seconds_count", call="predict") == 2
    assert of("model_call_duration_seconds_count", call="explain") == 0
    assert of("queue_wait_seconds_sum", step="plan") == 3
    assert of("queue_wait_seconds_bucket", step="label", le="0.05") == 1
    assert of("step_retries_total", step="label") == 0
    assert of("lease_losses_total", step="label") == 0
    assert of("prediction_cache_lookups_total", result="hit") == 5
    assert of("webhook_attempts_total", outcome="refused") == 0


def test_requests_are_counted_by_route_with_bounded_labels(client: ApiClient) -> None:
    for number in range(20):
        client.get(f"/v1/jobs/job_{number}")
        client.get(f"/no/such/{number}")
        client.open("/healthz", method=f"GUESS{number}")
    metrics = scrape(client)
    samples = metrics["spinelabel_http_requests"].samples
    routes = {sample.labels["route"] for sample in samples}
    assert routes == {"/v1/jobs/<job_id>", "none"}
    name = "spinelabel_http_requests_total"
    assert value(metrics, name, method="GET", route="none", status="404") == 20
    assert {sample.labels["method"] for sample in samples} == {"GET", "other"}


def test_refused_requests_are_counted_too(harness: ApiHarness) -> None:
    harness.settings = ApiSettings(auth="required")
    app = harness.app()
    assert client_of(app).get("/v1/jobs").status_code == 401
    key, stored_key = generate_api_key("root", is_admin=True, limits=KeyLimits())
    harness.keys.add(stored_key)
    client = client_of(app)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    name = "spinelabel_http_requests_total"
    assert value(scrape(client), name, method="GET", route="/v1/jobs", status="401") == 1


@pytest.mark.parametrize(
    ("is_admin", "code"), [(True, None), (False, "ADMIN_ONLY"), (None, "UNAUTHENTICATED")]
)
def test_with_keys_only_admins_read_metrics(
    harness: ApiHarness, is_admin: bool | None, code: str | None
) -> None:
    harness.settings = ApiSettings(auth="required")
    client = harness.client()
    if is_admin is not None:
        key, stored_key = generate_api_key("anna", is_admin=is_admin, limits=KeyLimits())
        harness.keys.add(stored_key)
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    response = client.get("/metrics")
    assert (response.json["code"] if response.is_json else None) == code


def test_without_keys_metrics_are_served_under_a_container_host_name(
    client: ApiClient,
) -> None:
    assert client.get("/metrics", headers={"Host": "api:8000"}).status_code == 200
    assert client.get("/v1/jobs", headers={"Host": "api:8000"}).status_code == 421


def test_an_unreachable_store_is_a_metric_and_no_failure(tmp_path: Path) -> None:
    settings = ApiSettings(
        redis_url=f"redis://127.0.0.1:{free_port()}", storage_url=str(tmp_path / "storage")
    )
    metrics = scrape(client_of(create_app(settings, connect(settings))))
    assert value(metrics, "spinelabel_store_up") == 0
    assert "spinelabel_jobs" not in metrics
    assert "spinelabel_storage_free_bytes" in metrics


def test_metrics_over_a_real_redis_are_complete(api: ApiProcess) -> None:
    response = httpx.get(f"{api.url}/metrics", timeout=WITHIN_S)
    assert response.status_code == 200
    metrics = {family.name: family for family in text_string_to_metric_families(response.text)}
    assert value(metrics, "spinelabel_redis_memory_bytes") > 0
    assert value(metrics, "spinelabel_queue_messages", queue="bulk") == 0
    assert len(response.content) < 50_000
