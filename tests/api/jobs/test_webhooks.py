"""The option `webhook_url`, the delivery log and the secrets, over HTTP."""

from __future__ import annotations

import io
from typing import Any

import httpx
import pytest

from api.settings import ApiSettings
from jobs.ports.webhooks import Attempt
from tests.api.auth.test_access import Keyed
from tests.api.client import ApiClient
from tests.api.conftest import ApiHarness, StartApi
from tests.waiting import WITHIN_S

CATALOGUE = b"title,summary\nA,some words\n"
HOOK = "https://hooks.example.org/spinelabel?token=s3cret"


def submit(client: ApiClient, webhook_url: str = HOOK) -> str:
    answer = client.post("/v1/jobs", query_string={"webhook_url": webhook_url}, data=CATALOGUE)
    assert answer.status_code == 202, answer.text
    return str(answer.get_json()["id"])


def cancelled(harness: ApiHarness, client: ApiClient) -> str:
    job_id = submit(client)
    client.post(f"/v1/jobs/{job_id}/cancel")
    harness.assemble(job_id)
    return job_id


def deliveries(client: ApiClient, job_id: str) -> dict[str, Any]:
    answer = client.get(f"/v1/jobs/{job_id}/deliveries")
    assert answer.status_code == 200
    document = answer.get_json()
    assert isinstance(document, dict)
    return document


def attempt(number: int, **changes: Any) -> Attempt:
    what: dict[str, Any] = {"status": 500, "outcome": "failed", "detail": "why", **changes}
    return Attempt(number=number, at=1_000_000_000.0, seconds=0.5, **what)


def test_a_job_keeps_its_webhook_url_and_links_to_the_log(
    harness: ApiHarness, client: ApiClient
) -> None:
    job_id = submit(client)
    assert harness.store.jobs.get(job_id).options.webhook_url == HOOK
    links = client.get(f"/v1/jobs/{job_id}").get_json()["links"]
    assert links["deliveries"] == f"/v1/jobs/{job_id}/deliveries"
    assert deliveries(client, job_id) == {
        "webhook_url": HOOK,
        "state": "waiting",
        "attempts": [],
        "next_attempt_at": None,
    }


def test_without_a_webhook_url_there_is_nothing_to_deliver(
    harness: ApiHarness, client: ApiClient
) -> None:
    job_id = harness.completed()
    assert client.get(f"/v1/jobs/{job_id}").get_json()["links"]["deliveries"] is None
    assert deliveries(client, job_id)["state"] == "none"


def test_a_form_may_name_the_webhook_url_after_the_file(
    harness: ApiHarness, client: ApiClient
) -> None:
    answer = client.post(
        "/v1/jobs", data={"file": (io.BytesIO(CATALOGUE), "a.csv"), "webhook_url": HOOK}
    )
    assert harness.store.jobs.get(answer.get_json()["id"]).options.webhook_url == HOOK


@pytest.mark.parametrize(
    ("webhook_url", "why"),
    [
        ("http://hooks.example.org/", "https://"),
        ("https://127.0.0.1/", "public internet"),
        ("https://[::1]:8443/", "public internet"),
        ("https://169.254.169.254/latest/meta-data", "public internet"),
        ("https://a:b@hooks.example.org/", "password"),
        ("nonsense", "https://"),
    ],
)
def test_a_webhook_url_that_must_not_be_called_is_refused_at_once(
    harness: ApiHarness, client: ApiClient, webhook_url: str, why: str
) -> None:
    answer = client.post("/v1/jobs", query_string={"webhook_url": webhook_url}, data=CATALOGUE)
    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (400, "INVALID_PARAMETER")
    assert why in problem["detail"]
    assert harness.is_empty()


def test_a_webhook_url_that_is_refused_after_the_file_leaves_nothing(
    harness: ApiHarness, client: ApiClient
) -> None:
    form = {"file": (io.BytesIO(CATALOGUE), "a.csv"), "webhook_url": "http://hooks.example.org/"}
    assert client.post("/v1/jobs", data=form).status_code == 400
    assert harness.is_empty()


def test_the_operator_may_allow_others(harness: ApiHarness) -> None:
    harness.settings = ApiSettings(webhook_allow_http=True, webhook_allow_private=True)
    submit(harness.client(), "http://127.0.0.1:9000/hook")


def test_the_log_tells_attempts_and_when_the_next_one_is(
    harness: ApiHarness, client: ApiClient
) -> None:
    job_id = cancelled(harness, client)
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
            "detail": "why",
        }
    ]


@pytest.mark.parametrize("outcome", ["delivered", "failed", "refused"])
def test_the_last_outcome_is_the_state(
    harness: ApiHarness, client: ApiClient, outcome: str
) -> None:
    job_id = cancelled(harness, client)
    harness.webhooks.claim(job_id, lease_s=5)
    harness.webhooks.record(job_id, attempt(1, outcome=outcome), retry_in_s=None)
    assert deliveries(client, job_id)["state"] == outcome


def test_each_owner_reads_and_renews_a_secret_of_their_own(harness: ApiHarness) -> None:
    keyed = Keyed(harness)
    anna, ben = keyed.person("anna"), keyed.person("ben")

    def secrets(client: ApiClient) -> list[str]:
        found: list[str] = client.get("/v1/webhook-secret").get_json()["secrets"]
        return found

    (first,), (bens,) = secrets(anna), secrets(ben)
    assert first != bens
    renewed = anna.post("/v1/webhook-secret").get_json()["secrets"]
    assert renewed[1:] == [first]
    assert secrets(anna) == renewed
    assert secrets(ben) == [bens]


def test_the_access_log_does_not_hold_the_receivers_url(start_api: StartApi) -> None:
    api = start_api()
    query = {"filename": "a.csv", "webhook_url": HOOK, "error_threshold": "0.5"}
    assert (
        httpx.post(
            f"{api.url}/v1/jobs", params=query, content=CATALOGUE, timeout=WITHIN_S
        ).status_code
        == 202
    )
    api.stop()  # the line may come after the answer
    log = api.log.read_text()
    assert "webhook_url=-&error_threshold=0.5" in log
    assert "s3cret" not in log
