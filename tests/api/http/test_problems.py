"""Every error is a problem document with a code and without internal details."""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace

import pytest

from api.http.problem_codes import CODES
from catalogue import errors as catalogue_errors
from jobs.job import Job
from jobs.logs.setup import log_formatter
from jobs.memory.record.job_repository import MemoryJobRepository
from jobs.memory.record.state import MemoryState
from tests.api.client import ApiClient
from tests.api.conftest import ApiHarness


def test_every_catalogue_error_has_a_problem_code() -> None:
    defined = {
        member
        for _, member in inspect.getmembers(catalogue_errors, inspect.isclass)
        if issubclass(member, catalogue_errors.CatalogueError)
    }
    assert {error.code for error in defined} <= set(CODES)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("GET", "/static/nothing.js", 404, "NOT_FOUND"),
        ("GET", "/static/../app.py", 404, "NOT_FOUND"),
        ("PUT", "/v1/jobs", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/v1/model", 404, "MODEL_UNKNOWN"),
    ],
)
def test_routing_errors_are_problems(
    client: ApiClient, method: str, path: str, status: int, code: str
) -> None:
    response = client.open(path, method=method)
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    problem = response.get_json()
    assert set(problem) == {"type", "title", "status", "code", "detail"}
    assert (problem["status"], problem["code"]) == (status, code)


def test_a_refused_method_lists_the_allowed_ones(client: ApiClient) -> None:
    allowed = client.put("/v1/jobs").headers["Allow"]
    assert {"GET", "POST"} <= set(allowed.split(", "))


class BrokenRepository(MemoryJobRepository):
    """A repository with a bug."""

    def get(self, job_id: str) -> Job:
        raise RuntimeError(f"secret-password of {job_id}")


def test_an_internal_error_is_logged_and_hidden_from_the_client(
    harness: ApiHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.store = replace(harness.store, jobs=BrokenRepository(MemoryState()))
    response = harness.client().get("/v1/jobs/job_" + "0" * 32)
    assert (response.status_code, response.json["code"]) == (500, "INTERNAL_ERROR")
    assert "secret" not in response.text
    logged = log_formatter("json", sys.stderr).format(caplog.records[-1])
    assert "secret-password" in logged
    assert "Traceback" in logged
