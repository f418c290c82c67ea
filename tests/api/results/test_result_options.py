"""`alternatives` and `neutralise_formulas` at submission: kept with the job, and heeded by its downloads."""

from __future__ import annotations

import pytest

from catalogue.labelled.labels import OptionalColumns, RowError
from catalogue.labelled.writer import encode_header, encode_rows
from catalogue.parsing.rows import parse_records
from catalogue.parsing.schema import inspect_head
from tests.api.conftest import ApiHarness

CATALOGUE = b"title,summary\n=1+1,some words\n"


@pytest.mark.parametrize("how", ["query", "form"])
@pytest.mark.parametrize(("given", "kept"), [("3", 3), ("0", 0), ("", 0), ("50", 50)])
def test_the_job_says_how_many_alternatives_it_lists(
    harness: ApiHarness, how: str, given: str, kept: int
) -> None:
    answer = harness.offer(CATALOGUE, how, alternatives=given)
    assert (answer.status_code, answer.json["alternatives"]) == (202, kept)
    assert harness.store.jobs.get(answer.json["id"]).options.columns == OptionalColumns(
        alternatives=kept
    )


@pytest.mark.parametrize("given", ["-1", "51", "all", "1.5"])
def test_a_number_that_cannot_be_is_refused(harness: ApiHarness, given: str) -> None:
    answer = harness.offer(CATALOGUE, "query", alternatives=given)
    assert (answer.status_code, answer.json["code"]) == (400, "INVALID_PARAMETER")
    assert "alternatives" in answer.json["detail"]


@pytest.mark.parametrize("how", ["query", "form"])
def test_formulas_are_neutralised_unless_a_download_says_otherwise(
    harness: ApiHarness, how: str
) -> None:
    answer = harness.offer(CATALOGUE, how, neutralise_formulas="true")
    assert answer.json["neutralise_formulas"] is True
    job_id = answer.json["id"]
    schema = inspect_head(CATALOGUE, complete=True)
    rows = parse_records(CATALOGUE[schema.data_start :], schema)
    harness.label(job_id, rows=1, failed=1)
    outcomes = [RowError.MODEL_REJECTED]
    harness.assemble(job_id, encode_header(schema) + encode_rows(schema, rows, outcomes))
    path = f"/v1/jobs/{job_id}/result"
    assert "\n'=1+1," in harness.client().get(path).text
    assert "\n=1+1," in harness.client().get(f"{path}?neutralise_formulas=false").text
    assert '"=1+1"' in harness.client().get(f"{path}?format=jsonl").text


def test_by_default_nothing_is_neutralised_and_nothing_listed(harness: ApiHarness) -> None:
    answer = harness.offer(CATALOGUE, "query")
    assert answer.json["neutralise_formulas"] is False
    assert answer.json["alternatives"] == 0
