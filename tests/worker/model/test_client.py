"""The model client without a server: failures, retries and the memory of its imports."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from worker.model.client import ModelClient, ModelUnavailable
from worker.model.retry import RetryAction, RetryPolicy


def test_an_unreachable_server_is_unavailable_after_the_retry_budget() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        target = f"127.0.0.1:{unused.getsockname()[1]}"
        client = ModelClient(target, "genre", deadline_s=5.0, retry_for_s=0.3)
        for call in (client.versions, lambda: client.submit(1, ["a crime"]).result()):
            with pytest.raises(
                ModelUnavailable, match=f"genre at {target} did not respond"
            ) as caught:
                call()
            assert caught.value.code == "UNAVAILABLE"
        client.close()


def test_an_empty_batch_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="at least one text"):
        ModelClient("127.0.0.1:1", "genre", deadline_s=1, retry_for_s=0).submit(1, [])


IMPORTS = """
import sys
import celery, celery.worker, kombu.transport.redis, redis, grpc, worker.model.client
heavy = {"tensorflow", "tensorflow_serving", "keras", "pandas", "scipy", "sklearn", "h5py"}
print(sorted(heavy & {name.split(".")[0] for name in sys.modules}))
import resource
print(int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize())
"""


def test_a_worker_with_the_client_loads_no_tensorflow_and_stays_below_130_mb() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True, timeout=120
    )
    loaded, resident = done.stdout.splitlines()
    assert loaded == "[]"
    assert int(resident) < 130e6


POLICY = RetryPolicy(retry_for_s=10.0, first_wait_s=0.1, max_wait_s=2.0, max_ambiguous=3)


def action(code: str, *, failures: int = 1, failing_for_s: float = 0.0) -> RetryAction:
    return POLICY.classify(code, failures=failures, failing_for_s=failing_for_s, jitter=0.5).action


@pytest.mark.parametrize(
    "code", ["UNAVAILABLE", "NOT_FOUND", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "CANCELLED"]
)
def test_a_transient_failure_is_retried_within_the_budget(code: str) -> None:
    assert action(code, failures=1) is RetryAction.RETRY
    assert action(code, failures=50, failing_for_s=9.9) is RetryAction.RETRY
    assert action(code, failures=51, failing_for_s=10.0) is RetryAction.UNAVAILABLE


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "OUT_OF_RANGE"])
def test_an_invalid_request_is_rejected_without_retry(code: str) -> None:
    assert action(code) is RetryAction.REJECTED


@pytest.mark.parametrize("code", ["INTERNAL", "UNKNOWN", "DATA_LOSS"])
def test_an_ambiguous_fault_that_repeats_rejects_the_input(code: str) -> None:
    assert [action(code, failures=n) for n in (1, 2, 3)] == [
        RetryAction.RETRY,
        RetryAction.RETRY,
        RetryAction.REJECTED,
    ]


def test_a_missing_signature_is_a_mismatch() -> None:
    assert action("FAILED_PRECONDITION") is RetryAction.MISMATCH


@pytest.mark.parametrize("code", ["UNIMPLEMENTED", "PERMISSION_DENIED", "UNAUTHENTICATED"])
def test_a_permanent_failure_is_not_retried(code: str) -> None:
    assert action(code) is RetryAction.UNAVAILABLE


def test_the_backoff_doubles_up_to_its_maximum() -> None:
    pauses = [
        POLICY.classify("UNAVAILABLE", failures=n, failing_for_s=0.0, jitter=1.0).wait_s
        for n in range(1, 8)
    ]
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0])


def test_jitter_shortens_the_backoff_by_up_to_half() -> None:
    shortest = POLICY.classify("UNAVAILABLE", failures=1, failing_for_s=0.0, jitter=0.0)
    assert shortest.wait_s == pytest.approx(0.05)


def test_the_last_attempt_is_at_the_end_of_the_budget() -> None:
    last = POLICY.classify("UNAVAILABLE", failures=20, failing_for_s=9.5, jitter=1.0)
    assert last.wait_s == pytest.approx(0.5)


def test_thousands_of_failures_do_not_overflow_the_backoff() -> None:
    late = POLICY.classify("UNAVAILABLE", failures=10_000, failing_for_s=0.0, jitter=1.0)
    assert late.wait_s == 2.0
