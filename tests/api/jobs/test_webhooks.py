"""The option `webhook_url`, the delivery log and the webhook secrets, over HTTP."""

from __future__ import annotations

import io
from typing import Any

import httpx
import pytest

from api.settings import ApiSettings
from jobs.ports.webhooks import Attempt
from tests.api.client import ApiClient
from tests.api.conftest import ApiHarness, StartApi
from tests.api.keyed_api import KeyedApi
from tests.waiting import WITHIN_S

CATALOGUE = b"title,summary\nA,some words\n"
WEBHOOK_URL = "https://hooks.example.org/spinelabel?token=s3cret"


def submit(client: ApiClient, webhook_url: str = WEBHOOK_URL) -> str:
    response = client.post("/v1/jobs", query_string={"webhook_url": webhook_url}, data=CATALOGUE)
    assert response.status_code == 202, response.text
    return str(response.get_json()["id"])


def cancelled_job(harness: ApiHarness, client: ApiClient) -> str:
    job_id = submit(client)
    client.post(f"/v1/jobs/{job_id}/cancel")
    harness.assemble(job_id)
    return job_id


def deliveries(client: ApiClient, job_id: str) -> dict[str, Any]:
    response = client.get(f"/v1/jobs/{job_id}/deliveries")
    assert response.status_code == 200
    document = response.get_json()
    assert isinstance(document, dict)
    return document


def attempt(number: int, **changes: Any) -> Attempt:
    fields: dict[str, Any] = {"status": 500, "outcome": "failed", "detail": "reason", **changes}
    return Attempt(number=number, at=1_000_000_000.0, seconds=0.5, **fields)


def test_a_job_keeps_its_webhook_url_and_links_to_the_log(
    harness: ApiHarness, client: ApiClient
) -> None:
    job_id = submit(client)
    assert harness.store.jobs.get(job_id).options.webhook_url == WEBHOOK_URL
    links = client.get(f"/v1/jobs/{job_id}").get_json()["links"]
    assert links["deliveries"] == f"/v1/jobs/{job_id}/deliveries"
    assert deliveries(client, job_id) == {
        "webhook_url": WEBHOOK_URL,
        "state": "waiting",
        "attempts": [],
        "next_attempt_at": None,
    }


def test_without_a_webhook_url_there_is_nothing_to_deliver(
    harness: ApiHarness, client: ApiClient
) -> None:
    job_id = harness.complete_job()
    assert client.get(f"/v1/jobs/{job_id}").get_json()["links"]["deliveries"] is None
    assert deliveries(client, job_id)["state"] == "none"


def test_a_form_may_have_the_webhook_url_after_the_file(
    harness: ApiHarness, client: ApiClient
) -> None:
    response = client.post(
        "/v1/jobs", data={"file": (io.BytesIO(CATALOGUE), "a.csv"), "webhook_url": WEBHOOK_URL}
    )
    assert harness.store.jobs.get(response.get_json()["id"]).options.webhook_url == WEBHOOK_URL


@pytest.mark.parametrize(
    ("webhook_url", "reason"),
    [
        ("http://hooks.example.org/", "https://"),
        ("https://127.0.0.1/", "public internet"),
        ("https://[::1]:8443/", "public internet"),
        ("https://169.254.169.254/latest/meta-data", "public internet"),
        ("https://a:b@hooks.example.org/", "password"),
        ("nonsense", "https://"),
    ],
)
def test_a_forbidden_webhook_url_is_refused_at_submission(
    harness: ApiHarness, client: ApiClient, webhook_url: str, reason: str
) -> None:
    response = client.post("/v1/jobs", query_string={"webhook_url": webhook_url}, data=CATALOGUE)
    problem = response.get_json()
    assert (response.status_code, problem["code"]) == (400, "INVALID_PARAMETER")
    assert reason in problem["detail"]
    assert harness.is_empty()


def test_a_webhook_url_refused_after_the_file_leaves_no_files(
    harness: ApiHarness, client: ApiClient
) -> None:
    form = {"file": (io.BytesIO(CATALOGUE), "a.csv"), "webhook_url": "http://hooks.example.org/"}
    assert client.post("/v1/jobs", data=form).status_code == 400
    assert harness.is_empty()


def test_the_operator_may_allow_http_and_private_addresses(harness: ApiHarness) -> None:
    harness.settings = ApiSettings(webhook_allow_http=True, webhook_allow_private=True)
    submit(harness.client(), "http://127.0.0.1:9000/hook")


def test_the_delivery_log_has_attempts_and_the_time_of_the_next_one(
    harness: ApiHarness, client: ApiClient
) -> None:
    job_id = cancelled_job(harness, client)
    assert deliveries(client, job_id)["state"] == "pending"
    harness.webhooks.claim(job_id, lease_s=5)
    harness.webhooks.record(job_id, attempt(1), retry_in_s=60)
    log = deliveries(client, job_id)
    assert log["state"] == "pending"
    assert log["next_attempt_at"] is not None
    assert log["attempts"] == [
        {
            "number": 1,
            "at": "2001-09-09T01:46:40.000Z",
            "seconds": 0.5,
            "status": 500,
            "outcome": "failed",
            "detail": "reason",
        }
    ]


@pytest.mark.parametrize("outcome", ["delivered", "failed", "refused"])
def test_the_delivery_state_is_the_last_outcome(
    harness: ApiHarness, client: ApiClient, outcome: str
) -> None:
    job_id = cancelled_job(harness, client)
    harness.webhooks.claim(job_id, lease_s=5)
    harness.webhooks.record(job_id, attempt(1, outcome=outcome), retry_in_s=None)
    assert deliveries(client, job_id)["state"] == outcome


def test_each_owner_reads_and_rotates_their_own_secret(harness: ApiHarness) -> None:
    keyed_api = KeyedApi(harness)
    anna, ben = keyed_api.client_for("anna"), keyed_api.client_for("ben")

    def secrets(client: ApiClient) -> list[str]:
        current: list[str] = client.get("/v1/webhook-secret").get_json()["secrets"]
        return current

    (first,), (ben_secret,) = secrets(anna), secrets(ben)
    assert first != ben_secret
    rotated = anna.post("/v1/webhook-secret").get_json()["secrets"]
    assert rotated[1:] == [first]
    assert secrets(anna) == rotated
    assert secrets(ben) == [ben_secret]


def test_the_access_log_does_not_contain_the_webhook_url(start_api: StartApi) -> None:
    api = start_api()
    query = {"filename": "a.csv", "webhook_url": WEBHOOK_URL, "error_threshold": "0.5"}
    assert (
        httpx.post(
            f"{api.url}/v1/jobs", params=query, content=CATALOGUE, timeout=WITHIN_S
        ).status_code
        == 202
    )
    api.stop()  # the line may be written after the response
    log = api.log.read_text()
    assert "webhook_url=-&error_threshold=0.5" in log
    assert "s3cret" not in log
