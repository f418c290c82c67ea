"""The same file leads to the same job, for as long as that job is good for something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.batch.submission import submit
from cli.client import Client
from cli.errors import ApiProblem, ServerUnreachable
from cli.http.api_calls import Submitted
from cli.http.label_options import LabelOptions
from tests.api.conftest import ApiProcess
from tests.cli.fake_api import FakeApi, job_document


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.csv"
    path.write_text("title,summary\nA,words\n")
    return path


def submitted(url: str, path: Path, *, again: bool = False, **options: Any) -> Submitted:
    with Client(url) as client:
        return submit(
            client,
            path,
            filename=path.name,
            options=LabelOptions(**options),
            again=again,
            on_bytes=lambda _done, _total: None,
        )


@pytest.fixture
def real_api(tmp_path: Path, redis_url: str) -> Iterator[ApiProcess]:
    api = ApiProcess(tmp_path / "api", {"SPINELABEL_REDIS_URL": redis_url})
    yield api
    api.stop()


def test_the_api_itself_gives_one_job_to_one_file_and_its_options(
    real_api: ApiProcess, catalogue: Path
) -> None:
    url = real_api.url
    first, second = submitted(url, catalogue), submitted(url, catalogue, again=True)
    assert (first.repeated, second.repeated) == (False, True)
    assert first.job.id == second.job.id
    others = [submitted(url, catalogue, evidence=False, title_column="summary")]
    catalogue.write_text("title,summary\nB,words\n")
    others.append(submitted(url, catalogue))
    named = catalogue.rename(catalogue.with_name("renamed.csv"))
    others.append(submitted(url, named))
    assert not any(other.repeated for other in others)
    assert len({first.job.id, *(other.job.id for other in others)}) == 4


@pytest.mark.parametrize("state", ["failed", "cancelling", "cancelled", "expired"])
def test_a_job_that_ended_badly_is_not_waited_for_again(
    api: FakeApi, catalogue: Path, state: str
) -> None:
    first = submitted(api.url, catalogue)
    api.jobs[first.job.id].documents = [job_document(state=state)]
    second = submitted(api.url, catalogue)
    assert (second.repeated, second.job.id) == (False, "job_2")
    api.jobs["job_2"].documents = [job_document(state="in_progress")]
    third = submitted(api.url, catalogue)
    assert (third.repeated, third.job.id) == (True, "job_2")


def test_a_deleted_job_is_made_anew(api: FakeApi, catalogue: Path) -> None:
    del api.jobs[submitted(api.url, catalogue).job.id]
    assert submitted(api.url, catalogue).job.id == "job_2"


def test_a_finished_job_is_taken_unless_anew_is_asked_for(api: FakeApi, catalogue: Path) -> None:
    first = submitted(api.url, catalogue)
    assert submitted(api.url, catalogue).job.id == first.job.id
    assert submitted(api.url, catalogue, again=True).job.id == "job_2"


def test_a_finished_job_of_another_model_is_not_taken(api: FakeApi, catalogue: Path) -> None:
    submitted(api.url, catalogue)
    api.model["version"] = 2
    assert submitted(api.url, catalogue).job.id == "job_2"


def test_a_finished_job_whose_files_are_gone_is_not_taken(api: FakeApi, catalogue: Path) -> None:
    submitted(api.url, catalogue)
    api.jobs["job_1"].has_files = False
    assert submitted(api.url, catalogue).job.id == "job_2"


def test_an_upload_that_is_cut_off_is_repeated(api: FakeApi, catalogue: Path) -> None:
    api.refusals = [
        (503, "SERVICE_UNAVAILABLE", "Not now."),
        (409, "IDEMPOTENCY_KEY_IN_USE", "The first is still being read."),
    ]
    assert submitted(api.url, catalogue).job.id == "job_1"


def test_what_the_server_refuses_is_not_repeated(api: FakeApi, catalogue: Path) -> None:
    api.refusals = [(422, "NO_SUMMARY_COLUMN", "None.")] * 2
    with pytest.raises(ApiProblem):
        submitted(api.url, catalogue)
    assert len(api.refusals) == 1


def test_an_address_where_nobody_ever_answered_is_given_up_at_once(catalogue: Path) -> None:
    with pytest.raises(ServerUnreachable):
        submitted("http://127.0.0.1:1", catalogue)
