from __future__ import annotations

import pytest

from api.http.problems import Problem
from api.uploads.options import Options, SubmitQuery
from api.uploads.preview_schemas import PreviewQuery
from tests.api.conftest import ApiHarness


def test_an_option_that_is_empty_counts_as_not_given() -> None:
    assert Options().updated("summary_column", "").updated("error_threshold", " ") == Options(
        summary_column=None, error_threshold=None
    )


def test_options_are_read_by_name() -> None:
    given = Options().updated("summary_column", "Blurb").updated("error_threshold", "0.25")
    assert given == Options(summary_column="Blurb", error_threshold=0.25)


@pytest.mark.parametrize("value", ["5", "-0.1", "nan", "some", "1e9"])
def test_a_share_outside_its_range_is_refused_by_name(value: str) -> None:
    with pytest.raises(Problem, match="error_threshold") as problem:
        Options().updated("error_threshold", value)
    assert problem.value.code == "INVALID_PARAMETER"


@pytest.mark.parametrize("name", sorted(SubmitQuery.model_fields))
def test_every_option_may_be_empty(harness: ApiHarness, name: str) -> None:
    answer = harness.client().post(f"/v1/jobs?{name}=", data=b"summary\nsome words\n")
    assert answer.status_code == 202, answer.text


def test_every_parameter_of_a_preview_may_be_empty(harness: ApiHarness) -> None:
    query = dict.fromkeys(PreviewQuery.model_fields, "")
    answer = harness.client().post("/v1/preview", data=b"summary\nwords\n", query_string=query)
    assert answer.status_code == 200, answer.text


def test_a_job_tells_the_thresholds_that_it_was_made_with(harness: ApiHarness) -> None:
    query = {"review_threshold": "0.75", "error_threshold": ""}
    answer = harness.client().post("/v1/jobs", data=b"summary\nwords\n", query_string=query)
    assert (answer.json["review_threshold"], answer.json["error_threshold"]) == (0.75, None)
