"""Options `alternatives` and `neutralise_formulas`: stored with the job, applied to downloads."""

from __future__ import annotations

import pytest

from catalogue.labelled.labels import OptionalColumns, RowError
from catalogue.labelled.writer import encode_header, encode_rows
from catalogue.parsing.rows import parse_records
from catalogue.parsing.schema import inspect_head
from tests.api.conftest import ApiHarness

CATALOGUE = b"title,summary\n=1+1,some words\n"


@pytest.mark.parametrize("options_in", ["query", "form"])
@pytest.mark.parametrize(("value", "expected"), [("3", 3), ("0", 0), ("", 0), ("50", 50)])
def test_the_job_document_has_the_number_of_alternatives(
    harness: ApiHarness, options_in: str, value: str, expected: int
) -> None:
    response = harness.post_with_options(CATALOGUE, options_in, alternatives=value)
    assert (response.status_code, response.json["alternatives"]) == (202, expected)
    assert harness.store.jobs.get(response.json["id"]).options.columns == OptionalColumns(
        alternatives=expected
    )


@pytest.mark.parametrize("value", ["-1", "51", "all", "1.5"])
def test_an_invalid_number_of_alternatives_is_refused(harness: ApiHarness, value: str) -> None:
    response = harness.post_with_options(CATALOGUE, "query", alternatives=value)
    assert (response.status_code, response.json["code"]) == (400, "INVALID_PARAMETER")
    assert "alternatives" in response.json["detail"]


@pytest.mark.parametrize("options_in", ["query", "form"])
def test_formulas_are_neutralised_unless_the_download_overrides_it(
    harness: ApiHarness, options_in: str
) -> None:
    response = harness.post_with_options(CATALOGUE, options_in, neutralise_formulas="true")
    assert response.json["neutralise_formulas"] is True
    job_id = response.json["id"]
    schema = inspect_head(CATALOGUE, complete=True)
    rows = parse_records(CATALOGUE[schema.data_start :], schema)
    harness.label(job_id, rows=1, failed=1)
    outcomes = [RowError.MODEL_REJECTED]
    harness.assemble(job_id, encode_header(schema) + encode_rows(schema, rows, outcomes))
    path = f"/v1/jobs/{job_id}/result"
    assert "\n'=1+1," in harness.client().get(path).text
    assert "\n=1+1," in harness.client().get(f"{path}?neutralise_formulas=false").text
    assert '"=1+1"' in harness.client().get(f"{path}?format=jsonl").text


def test_by_default_formulas_stay_and_no_alternatives_are_listed(harness: ApiHarness) -> None:
    response = harness.post_with_options(CATALOGUE, "query")
    assert response.json["neutralise_formulas"] is False
    assert response.json["alternatives"] == 0
