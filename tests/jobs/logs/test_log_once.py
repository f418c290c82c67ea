"""A persistent fault is logged once an hour."""

from __future__ import annotations

import structlog
from structlog.testing import capture_logs

from jobs.logs.log_once import LogOnce


def test_a_fault_is_logged_again_after_an_hour_and_when_it_comes_back() -> None:
    now = [0.0]
    with capture_logs() as logs:
        once = LogOnce(structlog.get_logger("test"), clock=lambda: now[0])
        once.error("a", "first", job_id="job_1")
        once.error("a", "repeated")
        once.error("b", "another")
        now[0] = 3601.0
        once.error("a", "an_hour_later")
        once.forget("a")
        once.error("a", "returned")
    assert [entry["event"] for entry in logs] == ["first", "another", "an_hour_later", "returned"]
    assert logs[0]["job_id"] == "job_1"
