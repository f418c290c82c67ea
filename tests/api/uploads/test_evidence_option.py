"""`evidence=true` at submission: kept with the job, and refused where the model is known to lack it."""

from __future__ import annotations

import pytest

from tests.api.conftest import ApiHarness

CATALOGUE = b"title,summary\nA,some words\n"
FORM = "form"
QUERY = "query"


@pytest.mark.parametrize("how", [QUERY, FORM])
@pytest.mark.parametrize(("given", "kept"), [("true", True), ("false", False), ("", False)])
def test_the_job_says_whether_evidence_is_on(
    harness: ApiHarness, how: str, given: str, kept: bool
) -> None:
    answer = harness.offer(CATALOGUE, how, evidence=given)
    assert (answer.status_code, answer.json["evidence"]) == (202, kept)
    assert harness.store.jobs.get(answer.json["id"]).options.evidence is kept


@pytest.mark.parametrize("given", ["yes", "1", "True", "words"])
def test_anything_but_true_and_false_is_refused(harness: ApiHarness, given: str) -> None:
    answer = harness.offer(CATALOGUE, QUERY, evidence=given)
    assert (answer.status_code, answer.json["code"]) == (400, "INVALID_PARAMETER")
    assert "evidence" in answer.json["detail"]


@pytest.mark.parametrize("how", [QUERY, FORM])
def test_a_model_that_is_known_to_lack_evidence_refuses_the_upload(
    harness: ApiHarness, how: str
) -> None:
    harness.store.workers.report("one", {"version": 4, "labels": [], "evidence": False})
    answer = harness.offer(CATALOGUE, how, evidence="true")
    assert (answer.status_code, answer.json["code"]) == (409, "EVIDENCE_UNAVAILABLE")
    assert "version 4" in answer.json["detail"]
    assert harness.is_empty()
    assert harness.offer(CATALOGUE, how, evidence="false").status_code == 202


def test_where_nothing_is_known_of_the_model_the_upload_is_taken(harness: ApiHarness) -> None:
    assert harness.offer(CATALOGUE, QUERY, evidence="true").status_code == 202
