"""The HTTP client against a server that refuses, breaks connections off and restarts."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from cli.async_client import AsyncClient
from cli.client import Client
from cli.errors import ApiProblem, BadInput, ServerUnreachable
from cli.http.job_document import JobDocument
from cli.http.label_options import LabelOptions
from cli.local_stack import ports
from tests.cli.fake_api import FakeApi, job_document

NewClient = Callable[..., Client]

RESULT = random.Random(7).randbytes(700_000)


class BlockingAsyncClient:
    """An `AsyncClient` with the methods of a `Client`, on an event loop of its own."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._loop = asyncio.Runner()
        try:
            self._client = AsyncClient(*arguments, **options)
        except BaseException:
            self._loop.close()
            raise

    def __enter__(self) -> BlockingAsyncClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._client.close())
        self._loop.close()

    @property
    def url(self) -> str:
        return self._client.url

    def follow(self, job_id: str) -> Iterator[JobDocument]:
        documents = self._client.follow(job_id)

        async def next_document() -> JobDocument | None:
            return await anext(documents, None)

        while (job := self._loop.run(next_document())) is not None:
            yield job

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda *arguments, **options: self._loop.run(method(*arguments, **options))


@pytest.fixture(params=[Client, BlockingAsyncClient])
def new_client(request: pytest.FixtureRequest) -> NewClient:
    """Both clients pass every test of this module."""
    return cast(NewClient, request.param)


def test_an_upload_has_every_byte_the_filename_and_the_columns(
    new_client: NewClient, api: FakeApi, tmp_path: Path
) -> None:
    source = tmp_path / "a b&c.csv"
    source.write_bytes(RESULT)
    progress: list[tuple[int, int]] = []
    with new_client(api.url) as client:
        submitted = client.upload(
            source,
            options=LabelOptions(summary_column="Über uns", title_column="Titel"),
            on_bytes=lambda done, total: progress.append((done, total)),
        )
    assert (submitted.job.state, submitted.repeated) == ("queued", False)
    assert api.uploads == [
        (
            {"filename": ["a b&c.csv"], "summary_column": ["Über uns"], "title_column": ["Titel"]},
            RESULT,
        )
    ]
    assert progress == sorted(progress)
    assert progress[-1] == (len(RESULT), len(RESULT))


def test_an_empty_file_is_sent_for_the_server_to_refuse(
    new_client: NewClient, api: FakeApi, tmp_path: Path
) -> None:
    (tmp_path / "empty.csv").touch()
    with new_client(api.url) as client:
        client.upload(tmp_path / "empty.csv")
    assert api.uploads == [({"filename": ["empty.csv"]}, b"")]


def test_a_problem_becomes_an_error_with_code_and_detail(
    new_client: NewClient, api: FakeApi
) -> None:
    api.refusals = [(404, "JOB_NOT_FOUND", "There is no job x; `GET /v1/jobs` lists them.")]
    with new_client(api.url) as client, pytest.raises(ApiProblem) as caught:
        client.job("x")
    assert caught.value.code == "JOB_NOT_FOUND"
    assert str(caught.value) == "There is no job x; `GET /v1/jobs` lists them."
    assert caught.value.exit_code == 2


def test_a_refused_upload_is_not_retried(
    new_client: NewClient, api: FakeApi, tmp_path: Path
) -> None:
    source = tmp_path / "c.csv"
    source.write_bytes(b"x")
    api.refusals = [(503, "SERVICE_UNAVAILABLE", "Redis cannot be reached; try again.")]
    with new_client(api.url) as client, pytest.raises(ApiProblem) as caught:
        client.upload(source)
    assert caught.value.exit_code == 3
    assert api.uploads == []


def test_follow_ends_with_the_ended_job(new_client: NewClient, api: FakeApi) -> None:
    api.documents = [job_document(state=s) for s in ("queued", "in_progress", "completed")]
    with new_client(api.url) as client:
        assert [job.state for job in client.follow("job_1")] == [
            "queued",
            "in_progress",
            "completed",
        ]


def test_follow_survives_a_restart_of_the_server(new_client: NewClient) -> None:
    api = FakeApi(documents=[job_document(state="in_progress")])
    waits: list[Exception] = []
    with api.serving():
        client = new_client(api.url, on_waiting=waits.append)
        following = client.follow("job_1")
        assert next(following).state == "in_progress"
    api.documents = [job_document()]
    api.refusals = [(503, "SERVICE_UNAVAILABLE", "Not yet.")]
    with client, api.serving(after_s=0.5):
        assert [job.state for job in following] == ["completed"]
    assert waits


def test_an_unreachable_server_is_retried_for_a_bounded_time(new_client: NewClient) -> None:
    url = f"http://127.0.0.1:{ports.free_port()}"
    with new_client(url, patience_s=0.3) as client, pytest.raises(ServerUnreachable, match=url):
        client.job("job_1")


def test_on_waiting_may_end_the_retries_earlier(new_client: NewClient) -> None:
    def refuse(_: Exception) -> None:
        raise BadInput("no hope")

    url = f"http://127.0.0.1:{ports.free_port()}"
    with new_client(url, on_waiting=refuse) as client, pytest.raises(BadInput, match="no hope"):
        client.job("job_1")


def test_after_the_last_retry_the_servers_problem_is_raised(
    new_client: NewClient, api: FakeApi
) -> None:
    api.refusals = [(503, "SERVICE_UNAVAILABLE", "Redis cannot be reached; try again.")] * 100
    with new_client(api.url, patience_s=0.2) as client, pytest.raises(ApiProblem, match="Redis"):
        client.job("job_1")


def test_a_broken_download_is_resumed(new_client: NewClient, api: FakeApi, tmp_path: Path) -> None:
    api.result = RESULT
    api.break_after = [200_000, 0, 300_000]
    with new_client(api.url) as client:
        assert client.download("job_1", tmp_path / "out.csv") == len(RESULT)
    assert (tmp_path / "out.csv").read_bytes() == RESULT
    assert api.ranges[0] is None
    starts = [
        int(value.removeprefix("bytes=").removesuffix("-")) for value in api.ranges[1:] if value
    ]
    assert len(starts) == 3
    assert starts == sorted(starts)
    assert 0 < starts[0] <= 200_000


def test_a_download_of_a_changed_file_restarts(
    new_client: NewClient, api: FakeApi, tmp_path: Path
) -> None:
    api.result = RESULT
    api.break_after = [200_000]

    def change(_: Exception) -> None:
        api.result, api.etag = RESULT[::-1], '"v2"'

    with new_client(api.url, on_waiting=change) as client:
        client.download("job_1", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == RESULT[::-1]


def test_a_broken_download_without_a_strong_etag_restarts(
    new_client: NewClient, api: FakeApi, tmp_path: Path
) -> None:
    api.result, api.etag, api.break_after = RESULT, 'W/"v1"', [200_000]
    with new_client(api.url) as client:
        client.download("job_1", tmp_path / "out.csv")
    assert api.ranges == [None, None]
    assert (tmp_path / "out.csv").read_bytes() == RESULT


def test_a_failed_download_leaves_only_the_old_file(
    new_client: NewClient, api: FakeApi, tmp_path: Path
) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")
    api.result, api.break_after = RESULT, [1000] + [0] * 1000
    with new_client(api.url, patience_s=0.3) as client, pytest.raises(ServerUnreachable):
        client.download("job_1", target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_result_that_is_not_ready_is_an_error(
    new_client: NewClient, api: FakeApi, tmp_path: Path
) -> None:
    api.refusals = [(409, "RESULT_NOT_READY", "The job is still being labelled; ask again later.")]
    with new_client(api.url) as client, pytest.raises(ApiProblem, match="still being labelled"):
        client.download("job_1", tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_downloaded_file_has_default_permissions_or_those_of_the_file_it_replaces(
    new_client: NewClient, api: FakeApi, tmp_path: Path
) -> None:
    api.result = b"a,b\n"
    ordinary, private = tmp_path / "ordinary", tmp_path / "private"
    ordinary.touch()
    private.touch()
    private.chmod(0o600)
    with new_client(api.url) as client:
        client.download("job_1", tmp_path / "new")
        client.download("job_1", private)
    assert (tmp_path / "new").stat().st_mode == ordinary.stat().st_mode
    assert private.stat().st_mode & 0o777 == 0o600


def test_jobs_are_listed_over_several_pages(new_client: NewClient, api: FakeApi) -> None:
    api.listed = [job_document(f"job_{number}") for number in range(250)]
    with new_client(api.url) as client:
        assert [job.id for job in client.jobs(230)] == [f"job_{n}" for n in range(230)]
        assert len(client.jobs(1000)) == 250


def test_a_job_id_cannot_lead_to_another_path(new_client: NewClient, api: FakeApi) -> None:
    with new_client(api.url) as client:
        client.cancel("../x?y")
    assert api.cancelled == ["/v1/jobs/..%2Fx%3Fy/cancel"]


@pytest.mark.parametrize("address", ["ftp://x", "http://", "://"])
def test_an_invalid_address_is_a_usage_error(new_client: NewClient, address: str) -> None:
    with pytest.raises(BadInput, match="address of a server"):
        new_client(address)


def test_an_address_without_scheme_is_http(new_client: NewClient, api: FakeApi) -> None:
    with new_client(f"127.0.0.1:{api.port}/") as client:
        assert client.url == api.url
        assert client.job("job_1").completed


def test_proxy_settings_are_ignored_for_loopback_servers(
    new_client: NewClient, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{ports.free_port()}")
    assert os.environ["HTTP_PROXY"]
    with new_client(api.url, patience_s=0) as client:
        assert client.job("job_1").completed


def test_a_server_that_is_not_spinelabel_is_recognised(new_client: NewClient, api: FakeApi) -> None:
    api.documents = [{"hello": "world"}]
    with new_client(api.url) as client, pytest.raises(ServerUnreachable, match="not Spinelabel's"):
        client.job("job_1")
