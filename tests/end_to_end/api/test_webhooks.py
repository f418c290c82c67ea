"""From an upload with a webhook URL to its delivery."""

from __future__ import annotations

from standardwebhooks import Webhook

from tests.stack import Stack
from tests.waiting import eventually
from tests.webhook_receiver import respond_with, running_receiver


def test_a_failed_delivery_is_retried_with_a_valid_signature(stack: Stack) -> None:
    with running_receiver(respond_with(503, 204)) as receiver:
        job_id = stack.submit(
            b"title,summary\nA,A detective hunts a killer\n", webhook_url=receiver.url
        )
        stack.wait(job_id, "completed")
        deliveries = f"/v1/jobs/{job_id}/deliveries"
        eventually(lambda: stack.http.get(deliveries).json()["state"] == "delivered")
    first, second = receiver.requests
    (secret,) = stack.http.get("/v1/webhook-secret").json()["secrets"]
    document = Webhook(secret).verify(second.body.decode(), second.headers)
    assert document["data"]["id"] == job_id
    assert document["data"]["row_counts"]["labelled"] == 1
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
