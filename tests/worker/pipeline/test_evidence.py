"""The column of the words that weighed most, and models that cannot name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogue.labelled.labels import OptionalColumns
from jobs.job import Failure, State
from tests.worker.tasks.test_label_request import ask
from tests.worker.worker_harness import Desk, catalogue


@pytest.fixture
def desk(tmp_path: Path, tiny_model_target: str) -> Desk:
    return Desk(tmp_path, tiny_model_target)


def test_the_column_stands_last_and_holds_words_of_the_cleaned_summary(desk: Desk) -> None:
    content = (
        b'id,summary\n1,"The <b>Dragon\'s</b> =SUM(A1) caf\xc3\xa9!"\n2,\n3,wizard\n4,the nanword\n'
    )
    job = desk.run(content, OptionalColumns(evidence=True))
    header, *rows = desk.result(job.id)
    assert header[-2:] == ["row_error", "evidence"]
    assert [row[9] for row in rows] == ["dragon|sum|cafe", "", "wizard", ""]


def test_a_job_that_does_not_ask_has_no_such_column(desk: Desk) -> None:
    job = desk.run(catalogue(4))
    assert desk.result(job.id)[0][-1] == "row_error"


def test_repeats_and_many_batches_keep_words_and_rows_together(
    tmp_path: Path, tiny_model_target: str
) -> None:
    desk = Desk(tmp_path, tiny_model_target, chunk_rows=150)
    words = ["q" + chr(ord("a") + n % 25) * (n * 7 % 11 + 1) for n in range(400)]
    lines = [f"{n},{word}" for n, word in enumerate(words)]
    job = desk.run("\n".join(["id,summary", *lines, ""]).encode(), OptionalColumns(evidence=True))
    assert job.state is State.COMPLETED
    assert [row[9] for row in desk.result(job.id)[1:]] == words


def test_a_model_without_evidence_fails_the_job_with_what_to_do(
    tmp_path: Path, silent_model_target: str
) -> None:
    desk = Desk(tmp_path, silent_model_target)
    job = desk.run(catalogue(4), OptionalColumns(evidence=True))
    assert job.state is State.FAILED
    assert job.failure is not None
    assert job.failure.code == "EVIDENCE_UNAVAILABLE"
    assert "without evidence" in job.failure.message
    assert desk.run(catalogue(4)).state is State.COMPLETED


def test_a_model_without_evidence_says_so_when_asked_for_it(
    tmp_path: Path, silent_model_target: str
) -> None:
    answer = ask(Desk(tmp_path, silent_model_target), "a crime", evidence=True)
    assert isinstance(answer, Failure)
    assert answer.code == "EVIDENCE_UNAVAILABLE"


def test_the_worker_reports_whether_its_model_gives_evidence(
    desk: Desk, tmp_path: Path, silent_model_target: str
) -> None:
    silent = Desk(tmp_path / "silent", silent_model_target)
    assert desk.services.models.gives_evidence(desk.services.models.newest_usable())
    assert not silent.services.models.gives_evidence(silent.services.models.newest_usable())
