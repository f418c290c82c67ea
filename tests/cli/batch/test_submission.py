"""Submitting a file again returns the same job, as long as that job is of use."""

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


def submit_file(url: str, path: Path, *, again: bool = False, **options: Any) -> Submitted:
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


def test_the_real_api_returns_one_job_per_file_and_options(
    real_api: ApiProcess, catalogue: Path
) -> None:
    url = real_api.url
    first, second = submit_file(url, catalogue), submit_file(url, catalogue, again=True)
    assert (first.repeated, second.repeated) == (False, True)
    assert first.job.id == second.job.id
    others = [submit_file(url, catalogue, evidence=False, title_column="summary")]
    catalogue.write_text("title,summary\nB,words\n")
    others.append(submit_file(url, catalogue))
    renamed = catalogue.rename(catalogue.with_name("renamed.csv"))
    others.append(submit_file(url, renamed))
    assert not any(other.repeated for other in others)
    assert len({first.job.id, *(other.job.id for other in others)}) == 4


@pytest.mark.parametrize("state", ["failed", "cancelling", "cancelled", "expired"])
def test_a_job_that_ended_without_success_is_not_reused(
    api: FakeApi, catalogue: Path, state: str
) -> None:
    first = submit_file(api.url, catalogue)
    api.jobs[first.job.id].documents = [job_document(state=state)]
    second = submit_file(api.url, catalogue)
    assert (second.repeated, second.job.id) == (False, "job_2")
    api.jobs["job_2"].documents = [job_document(state="in_progress")]
    third = submit_file(api.url, catalogue)
    assert (third.repeated, third.job.id) == (True, "job_2")


def test_a_deleted_job_is_not_reused(api: FakeApi, catalogue: Path) -> None:
    del api.jobs[submit_file(api.url, catalogue).job.id]
    assert submit_file(api.url, catalogue).job.id == "job_2"


def test_a_completed_job_is_reused_unless_again_is_set(api: FakeApi, catalogue: Path) -> None:
    first = submit_file(api.url, catalogue)
    assert submit_file(api.url, catalogue).job.id == first.job.id
    assert submit_file(api.url, catalogue, again=True).job.id == "job_2"


def test_a_completed_job_of_another_model_is_not_reused(api: FakeApi, catalogue: Path) -> None:
    submit_file(api.url, catalogue)
    api.model["version"] = 2
    assert submit_file(api.url, catalogue).job.id == "job_2"


def test_a_completed_job_without_files_is_not_reused(api: FakeApi, catalogue: Path) -> None:
    submit_file(api.url, catalogue)
    api.jobs["job_1"].has_files = False
    assert submit_file(api.url, catalogue).job.id == "job_2"


def test_an_interrupted_upload_is_retried(api: FakeApi, catalogue: Path) -> None:
    api.refusals = [
        (503, "SERVICE_UNAVAILABLE", "Not now."),
        (409, "IDEMPOTENCY_KEY_IN_USE", "The first is still being read."),
    ]
    assert submit_file(api.url, catalogue).job.id == "job_1"


def test_a_refused_upload_is_not_retried(api: FakeApi, catalogue: Path) -> None:
    api.refusals = [(422, "NO_SUMMARY_COLUMN", "None.")] * 2
    with pytest.raises(ApiProblem):
        submit_file(api.url, catalogue)
    assert len(api.refusals) == 1


def test_a_server_that_never_answered_is_not_retried(catalogue: Path) -> None:
    with pytest.raises(ServerUnreachable):
        submit_file("http://127.0.0.1:1", catalogue)
