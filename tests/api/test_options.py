from __future__ import annotations

import pytest

from api.options import Options
from api.problems import Problem


def test_an_option_that_is_empty_counts_as_not_given() -> None:
    assert Options.parse({"summary_column": "", "error_threshold": " "}) == Options()


def test_options_are_read_by_name() -> None:
    assert Options.parse({"summary_column": "Blurb", "error_threshold": "0.25"}) == Options(
        summary_column="Blurb", error_threshold=0.25
    )


@pytest.mark.parametrize("value", ["5", "-0.1", "nan", "some", "1e9"])
def test_a_share_outside_its_range_is_refused_by_name(value: str) -> None:
    with pytest.raises(Problem, match="error_threshold") as problem:
        Options.parse({"error_threshold": value})
    assert problem.value.code == "INVALID_OPTION"
