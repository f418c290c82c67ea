"""`/metrics` counts what the job documents say, also when a worker is killed in the middle."""

from __future__ import annotations

import csv
from collections import Counter

from prometheus_client.parser import text_string_to_metric_families

from tests.stack import Stack, many_rows
from tests.waiting import eventually
from tests.webhook_receiver import respond_with, running_receiver

ROWS_PER_CHUNK = 2000

Samples = Counter[tuple[str, str]]  # by name and the values of the labels


def scrape(stack: Stack) -> Samples:
    response = stack.http.get("/metrics").raise_for_status()
    return Counter(
        {
            (sample.name, ",".join(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(response.text)
            for sample in family.samples
            if sample.name.endswith(("_total", "_count", "_sum"))
        }
    )


def increases(before: Samples, after: Samples, name: str) -> dict[str, float]:
    """By label value, how much the series of this name have grown."""
    grown = {key: value - before[key] for key, value in after.items() if key[0] == name}
    return {labels: value for (_, labels), value in grown.items() if value}


def with_faulty_rows(content: bytes) -> bytes:
    return content + b"a,Without a summary,\nb,Shifted,one,two\nc,No words,???\n"


def assert_counted(stack: Stack, job_id: str, before: Samples) -> Samples:
    """The increases since `before` are those of this job. Returns the new samples."""
    job, after = stack.job(job_id), scrape(stack)
    counts = job["row_counts"]
    assert isinstance(counts, dict)
    assert job["state"] == "completed"
    assert increases(before, after, "spinelabel_labelled_rows_total") == job["genre_counts"]
    assert increases(before, after, "spinelabel_rows_total") == {
        "labelled": counts["labelled"],
        "failed": counts["failed"],
    }
    errors = stack.http.get(f"/v1/jobs/{job_id}/errors").raise_for_status().text
    codes = Counter(row[1] for row in csv.reader(errors.splitlines()[1:]))
    assert increases(before, after, "spinelabel_row_errors_total") == codes
    assert codes.total() == counts["failed"] > 0
    chunks = increases(before, after, "spinelabel_chunk_duration_seconds_count")
    assert chunks == {"": -(-counts["total"] // ROWS_PER_CHUNK)}
    return after


def test_the_metrics_equal_the_job_document(stack: Stack) -> None:
    content = with_faulty_rows(many_rows(rows=3000))
    before = scrape(stack)
    with running_receiver(respond_with(503, 204)) as receiver:
        job_id = stack.submit(content, webhook_url=receiver.url)
        stack.wait(job_id)
        deliveries = f"/v1/jobs/{job_id}/deliveries"
        eventually(lambda: stack.http.get(deliveries).json()["state"] == "delivered")
    after = assert_counted(stack, job_id, before)
    assert increases(before, after, "spinelabel_webhook_attempts_total") == {
        "failed": 1,
        "delivered": 1,
    }
    waits = increases(before, after, "spinelabel_queue_wait_seconds_count")
    assert waits.keys() == {"plan", "label", "assemble"}
    assert increases(before, after, "spinelabel_model_call_duration_seconds_sum")["predict"] > 0


def test_the_metrics_equal_the_job_document_after_a_worker_was_killed(stack: Stack) -> None:
    content = with_faulty_rows(many_rows(rows=6000))
    before = scrape(stack)
    with stack.suspended_worker() as worker:
        job_id = stack.submit(content)
        worker.work_until_half_done(job_id)
        for process in (stack.worker(), *stack.worker_children()):
            process.kill()
    stack.wait(job_id)
    assert_counted(stack, job_id, before)
