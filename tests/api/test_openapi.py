"""The API description is valid and complete, and its page needs no other server."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import pytest
from openapi_spec_validator import validate
from pydantic import TypeAdapter

from api.http.problem_codes import CODES
from api.jobs.schemas import JobDocument, JobListDocument
from tests.api.client import ApiClient
from tests.api.conftest import ApiHarness

# Pages for people, not operations for programs.
PAGES = {"/", "/docs", "/docs/assets/{filename}", "/static/{filename}", "/openapi.json"}


@pytest.fixture
def description(client: ApiClient) -> dict[str, Any]:
    document = client.get("/openapi.json").get_json()
    assert isinstance(document, dict)
    return document


def operations(description: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, item in description["paths"].items()
        for method, operation in item.items()
    }


def test_the_description_is_valid_openapi_3_1(description: dict[str, Any]) -> None:
    assert description["openapi"] == "3.1.0"
    validate(description)


def test_every_route_is_described_and_everything_described_is_a_route(
    harness: ApiHarness, description: dict[str, Any]
) -> None:
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in harness.app().url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(m, p) for m, p in routes if p not in PAGES} == set(operations(description))


def test_every_operation_has_a_summary_tags_and_a_unique_id(
    description: dict[str, Any],
) -> None:
    all_operations = operations(description).values()
    assert all(operation["summary"] and operation["tags"] for operation in all_operations)
    assert len({operation["operationId"] for operation in all_operations}) == len(all_operations)


def test_every_path_parameter_is_described(description: dict[str, Any]) -> None:
    for (_, path), operation in operations(description).items():
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path)), path


def test_problem_codes_are_described_under_their_status(
    description: dict[str, Any],
) -> None:
    for operation in operations(description).values():
        for status, response in operation["responses"].items():
            for code in re.findall(r"^`([A-Z_]+)`:", response["description"], re.MULTILINE):
                assert CODES[code].status == HTTPStatus(int(status))


def test_documents_match_their_models(harness: ApiHarness) -> None:
    job_id = harness.complete_job()
    client = harness.client()
    JobDocument.model_validate(client.get(f"/v1/jobs/{job_id}").json, strict=False, extra="forbid")
    TypeAdapter(JobListDocument).validate_python(client.get("/v1/jobs").json, extra="forbid")


def test_the_docs_page_needs_no_other_server(client: ApiClient) -> None:
    page = client.get("/docs")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    for path in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert path.startswith("/"), path
        assert client.get(path).status_code == 200, path
    assert '"/openapi.json"' in client.get("/static/docs.js").text
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_an_unknown_parameter_is_refused_as_a_problem(client: ApiClient) -> None:
    response = client.get("/v1/jobs", query_string={"sort": "name"})
    assert (response.status_code, response.get_json()["code"]) == (400, "UNKNOWN_PARAMETER")
    assert "sort" in response.get_json()["detail"]
