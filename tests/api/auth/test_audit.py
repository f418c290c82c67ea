"""The audit log: who did what to which job, from where, and nothing else."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from api.auth.audit import EVENTS
from jobs.api_keys import KeyLimits, generate_api_key
from tests.api.client import ApiClient
from tests.api.conftest import ApiHarness
from tests.api.keyed_api import CATALOGUE, KeyedApi, submit


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="api.audit")
    return caplog


def lines(log: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(r.getMessage()) for r in log.records if r.name == "api.audit"]


def test_submission_download_cancellation_and_deletion_are_audited(
    harness: ApiHarness, log: pytest.LogCaptureFixture
) -> None:
    keyed_api = KeyedApi(harness)
    key, stored_key = generate_api_key("anna", is_admin=False, limits=KeyLimits())
    harness.keys.add(stored_key)
    anna: ApiClient = keyed_api.client(key)
    first, second = submit(anna), submit(anna)
    harness.label(first)
    harness.assemble(first)
    anna.get(f"/v1/jobs/{first}")  # reading a job is not audited
    anna.get(f"/v1/jobs/{first}/result")
    anna.get(f"/v1/jobs/{first}/errors")
    anna.post(f"/v1/jobs/{second}/cancel")
    anna.delete(f"/v1/jobs/{first}")
    entries = lines(log)
    assert [(line["audit"], line["job_id"]) for line in entries] == [
        ("submission", first),
        ("submission", second),
        ("download", first),
        ("download", first),
        ("cancellation", second),
        ("deletion", first),
    ]
    for line in entries:
        assert (line["owner"], line["key_id"], line["client_ip"]) == (
            "anna",
            stored_key.id,
            "127.0.0.1",
        )
    assert key not in log.text
    assert "some words" not in log.text


def test_failed_requests_are_not_audited(
    harness: ApiHarness, log: pytest.LogCaptureFixture
) -> None:
    anna = KeyedApi(harness).client_for("anna")
    job_id = submit(anna)
    log.clear()
    assert anna.get(f"/v1/jobs/{job_id}/result").status_code == 409
    assert anna.delete(f"/v1/jobs/{job_id}").status_code == 409
    assert anna.post("/v1/jobs", data=b"").status_code >= 400
    assert not lines(log)


def test_a_refused_key_is_audited_without_its_secret(
    harness: ApiHarness, log: pytest.LogCaptureFixture
) -> None:
    wrong = f"sl_{'0' * 12}_{'1' * 64}"
    KeyedApi(harness).client(wrong).post("/v1/jobs", data=CATALOGUE)
    (line,) = lines(log)
    assert (line["audit"], line["owner"], line["status"]) == ("key refused", None, 401)
    assert line["request"] == "POST /v1/jobs"
    assert wrong not in log.text


def test_behind_a_trusted_proxy_the_client_address_is_audited(
    harness: ApiHarness, log: pytest.LogCaptureFixture
) -> None:
    forwarded = {"X-Forwarded-For": "198.51.100.1, 192.0.2.7"}
    submit(KeyedApi(harness).client_for("anna"), **forwarded)
    submit(KeyedApi(harness, trusted_proxies=1).client_for("anna"), **forwarded)
    assert [line["client_ip"] for line in lines(log)] == ["127.0.0.1", "192.0.2.7"]
    # A client that bypasses the proxy can forge the header, but not the peer address.
    assert [line["peer_ip"] for line in lines(log)] == ["127.0.0.1", "127.0.0.1"]


def test_an_invalid_forwarded_address_is_not_audited(
    harness: ApiHarness, log: pytest.LogCaptureFixture
) -> None:
    anna = KeyedApi(harness, trusted_proxies=1).client_for("anna")
    submit(anna, **{"X-Forwarded-For": "it was ben"})
    (line,) = lines(log)
    assert (line["client_ip"], line["peer_ip"]) == (None, "127.0.0.1")


def test_a_sign_in_is_audited(harness: ApiHarness, log: pytest.LogCaptureFixture) -> None:
    keyed_api = KeyedApi(harness)
    key = keyed_api.new_key("anna")
    keyed_api.client(None).post("/v1/session", json={"key": key})
    (line,) = lines(log)
    assert (line["audit"], line["owner"]) == ("sign-in", "anna")
    assert key not in log.text


def test_reads_of_rows_deliveries_and_secrets_are_audited(
    harness: ApiHarness, log: pytest.LogCaptureFixture
) -> None:
    anna = KeyedApi(harness).client_for("anna")
    job_id = submit(anna)
    log.clear()
    for path in (
        f"/v1/jobs/{job_id}/latest",
        f"/v1/jobs/{job_id}/deliveries",
        "/v1/webhook-secret",
    ):
        assert anna.get(path).status_code == 200
    assert [(line["audit"], line["job_id"]) for line in lines(log)] == [
        ("reading", job_id),
        ("reading of deliveries", job_id),
        ("reading of the webhook secret", None),
    ]
    assert "whsec_" not in log.text


def test_refusals_are_audited(harness: ApiHarness, log: pytest.LogCaptureFixture) -> None:
    unkeyed = harness.client()
    keyed_api = KeyedApi(harness, requests_per_minute=2)
    anna = keyed_api.client_for("anna")
    assert anna.get("/metrics").status_code == 403
    assert anna.post("/v1/jobs", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert anna.get("/v1/jobs").status_code == 200
    assert anna.get("/v1/jobs").status_code == 429
    assert unkeyed.get("/v1/jobs", headers={"Host": "evil.example"}).status_code == 421
    assert [(line["audit"], line["status"], line["owner"]) for line in lines(log)] == [
        ("request refused", 403, "anna"),
        ("request refused", 403, None),
        ("limit reached", 429, "anna"),
        ("request refused", 421, None),
    ]


def test_a_key_in_a_path_is_masked(harness: ApiHarness, log: pytest.LogCaptureFixture) -> None:
    keyed_api = KeyedApi(harness)
    key = keyed_api.new_key("anna")
    keyed_api.client(None).get(f"/v1/jobs/{key}")
    keyed_api.client(None).get('/v1/jobs/x\n{"audit":"deletion"}')
    keyless, _, secret = key.rpartition("_")
    first, second = (record.getMessage() for record in log.records)
    assert secret not in first
    assert json.loads(first)["job_id"] == f"{keyless}_***"
    assert "\n" not in second


# Routes that are not audited when they succeed, and why.
NOT_AUDITED = {
    ("GET", "static"): "the page",
    ("GET", "docs.static"): "the page",
    ("GET", "docs.docs"): "the page",
    ("GET", "page"): "the page",
    ("GET", "docs.description"): "is the same for every caller",
    ("GET", "health.healthz"): "a probe",
    ("GET", "health.readyz"): "a probe",
    ("GET", "health.model"): "is the same for every caller",
    ("GET", "metrics.get_metrics"): "counts, which Prometheus reads every few seconds",
    ("GET", "session.show_session"): "contains only the owner of the key",
    ("DELETE", "session.end_session"): "changes the browser only",
    ("GET", "jobs.list_jobs"): "states and counts, no row",
    ("GET", "jobs.show_job"): "states and counts, no row",
    ("GET", "events.follow_job"): "states and counts, no row",
    ("POST", "preview.preview_catalogue"): "shows what was sent, and stores nothing",
    (
        "POST",
        "labels.label_summaries",
    ): "labels what was sent, and stores nothing",
}


def test_every_route_is_either_audited_or_exempt(harness: ApiHarness) -> None:
    routes = {
        (method, rule.endpoint)
        for rule in harness.app().url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == set(EVENTS) | set(NOT_AUDITED)
    assert not set(EVENTS) & set(NOT_AUDITED)
