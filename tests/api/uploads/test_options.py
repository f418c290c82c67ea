"""Options of uploads and previews: parsing and validation."""

from __future__ import annotations

import pytest

from api.http.problems import Problem
from api.uploads.options import Options, SubmitQuery
from api.uploads.preview_schemas import PreviewQuery
from tests.api.conftest import ApiHarness


def test_an_empty_option_counts_as_absent() -> None:
    assert Options().updated("summary_column", "").updated("error_threshold", " ") == Options(
        summary_column=None, error_threshold=None
    )


def test_options_are_parsed_by_name() -> None:
    options = Options().updated("summary_column", "Blurb").updated("error_threshold", "0.25")
    assert options == Options(summary_column="Blurb", error_threshold=0.25)


@pytest.mark.parametrize("value", ["5", "-0.1", "nan", "some", "1e9"])
def test_a_threshold_out_of_range_is_refused_by_name(value: str) -> None:
    with pytest.raises(Problem, match="error_threshold") as problem:
        Options().updated("error_threshold", value)
    assert problem.value.code == "INVALID_PARAMETER"


@pytest.mark.parametrize("name", sorted(SubmitQuery.model_fields))
def test_every_option_may_be_empty(harness: ApiHarness, name: str) -> None:
    response = harness.client().post(f"/v1/jobs?{name}=", data=b"summary\nsome words\n")
    assert response.status_code == 202, response.text


def test_every_parameter_of_a_preview_may_be_empty(harness: ApiHarness) -> None:
    query = dict.fromkeys(PreviewQuery.model_fields, "")
    response = harness.client().post("/v1/preview", data=b"summary\nwords\n", query_string=query)
    assert response.status_code == 200, response.text


def test_the_job_document_has_the_thresholds(harness: ApiHarness) -> None:
    query = {"review_threshold": "0.75", "error_threshold": ""}
    response = harness.client().post("/v1/jobs", data=b"summary\nwords\n", query_string=query)
    assert (response.json["review_threshold"], response.json["error_threshold"]) == (0.75, None)
