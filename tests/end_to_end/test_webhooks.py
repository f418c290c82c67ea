"""From an upload that names a webhook URL to a receiver that knows the job is done."""

from __future__ import annotations

from standardwebhooks import Webhook

from tests.stack import Stack
from tests.waiting import eventually
from tests.webhook_receiver import receiving, status


def test_a_receiver_is_told_under_a_signature_that_verifies(stack: Stack) -> None:
    with receiving(status(503, 204)) as receiver:
        job_id = stack.submit(
            b"title,summary\nA,A detective hunts a killer\n", webhook_url=receiver.url
        )
        stack.wait(job_id, "completed")
        deliveries = f"/v1/jobs/{job_id}/deliveries"
        eventually(lambda: stack.http.get(deliveries).json()["state"] == "delivered")
    first, second = receiver.calls
    (secret,) = stack.http.get("/v1/webhook-secret").json()["secrets"]
    document = Webhook(secret).verify(second.body.decode(), second.headers)
    assert document["data"]["id"] == job_id
    assert document["data"]["row_counts"]["labelled"] == 1
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
