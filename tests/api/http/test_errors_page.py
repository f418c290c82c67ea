"""docs/errors.md matches the code: every problem code is documented, raised and tested."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from werkzeug.exceptions import ImATeapot

import api
import tests
from api.http.problem_codes import CODES
from api.http.problems import Problem, problem_from
from catalogue.errors import CatalogueError, LineTooLong
from tests.api.conftest import ApiHarness
from tools.errors_page import JOB_FAILURES, errors_page

ROOT = Path(api.__file__).parents[1]
TESTS = Path(tests.__path__[0])


def sources(folder: Path) -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(folder.rglob("*.py")))


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "errors.md").read_text("utf-8")
    assert page == errors_page(), "run: python -m tools.errors_page > docs/errors.md"


def test_an_undocumented_problem_cannot_be_created() -> None:
    with pytest.raises(KeyError):
        Problem(CODES["NOT_FOUND"].status, "SOMETHING_ELSE", "…")
    with pytest.raises(AssertionError):
        Problem(CODES["NOT_FOUND"].status, "NO_FILE", "…")


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_raised_and_tested(code: str) -> None:
    source = sources(ROOT / "api") + sources(ROOT / "catalogue")
    table = (ROOT / "api" / "http" / "problem_codes.py").read_text("utf-8")
    named = re.compile(rf'"{code}"')
    assert len(named.findall(source)) > len(named.findall(table)), "nothing raises it"
    assert named.search(sources(TESTS)), "no test expects it"


def test_every_job_failure_is_documented() -> None:
    source = sources(ROOT / "worker")
    raised = set(re.findall(r'(?:code="|failure_code = "|failure_code: str = ")([A-Z_]+)"', source))
    assert raised - set(CODES) == set(JOB_FAILURES) - set(CODES)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ImATeapot(), 400, "BAD_REQUEST"),  # any other refusal by a library
        (CatalogueError("Strange."), 422, "CATALOGUE_UNREADABLE"),
        (LineTooLong("Long."), 422, "LINE_TOO_LONG"),
    ],
)
def test_errors_that_no_request_causes_have_a_code(
    harness: ApiHarness, error: Exception, status: int, code: str
) -> None:
    with harness.app().test_request_context():
        problem = problem_from(error)
    assert (problem.status, problem.code) == (status, code)
