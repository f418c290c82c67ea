"""Option `evidence`: stored with the job, and refused if the model is known to have none."""

from __future__ import annotations

import pytest

from tests.api.conftest import ApiHarness

CATALOGUE = b"title,summary\nA,some words\n"
FORM = "form"
QUERY = "query"


@pytest.mark.parametrize("options_in", [QUERY, FORM])
@pytest.mark.parametrize(("value", "expected"), [("true", True), ("false", False), ("", False)])
def test_the_job_document_has_the_evidence_option(
    harness: ApiHarness, options_in: str, value: str, expected: bool
) -> None:
    response = harness.post_with_options(CATALOGUE, options_in, evidence=value)
    assert (response.status_code, response.json["evidence"]) == (202, expected)
    assert harness.store.jobs.get(response.json["id"]).options.evidence is expected


@pytest.mark.parametrize("value", ["yes", "1", "True", "words"])
def test_values_other_than_true_and_false_are_refused(harness: ApiHarness, value: str) -> None:
    response = harness.post_with_options(CATALOGUE, QUERY, evidence=value)
    assert (response.status_code, response.json["code"]) == (400, "INVALID_PARAMETER")
    assert "evidence" in response.json["detail"]


@pytest.mark.parametrize("options_in", [QUERY, FORM])
def test_evidence_is_refused_if_the_model_is_known_to_have_none(
    harness: ApiHarness, options_in: str
) -> None:
    harness.store.workers.report("one", {"version": 4, "labels": [], "evidence": False})
    response = harness.post_with_options(CATALOGUE, options_in, evidence="true")
    assert (response.status_code, response.json["code"]) == (409, "EVIDENCE_UNAVAILABLE")
    assert "version 4" in response.json["detail"]
    assert harness.is_empty()
    assert harness.post_with_options(CATALOGUE, options_in, evidence="false").status_code == 202


def test_evidence_is_accepted_if_the_model_is_unknown(harness: ApiHarness) -> None:
    assert harness.post_with_options(CATALOGUE, QUERY, evidence="true").status_code == 202
