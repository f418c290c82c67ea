"""The column `evidence`, and models that give none."""

from __future__ import annotations

from pathlib import Path

from catalogue.labelled.labels import OptionalColumns
from jobs.job import Failure, State
from tests.worker.worker_harness import WorkerHarness, catalogue


def test_the_column_is_last_and_holds_words_of_the_cleaned_summary(
    harness: WorkerHarness,
) -> None:
    content = (
        b'id,summary\n1,"The <b>Dragon\'s</b> =SUM(A1) caf\xc3\xa9!"\n2,\n3,wizard\n4,the nanword\n'
    )
    job = harness.run(content, OptionalColumns(evidence=True))
    header, *rows = harness.result(job.id)
    assert header[-2:] == ["row_error_detail", "evidence"]
    assert [row[10] for row in rows] == ["dragon|sum|cafe", "", "wizard", ""]


def test_a_job_without_the_option_has_no_evidence_column(harness: WorkerHarness) -> None:
    job = harness.run(catalogue(4))
    assert harness.result(job.id)[0][-1] == "row_error_detail"


def test_words_stay_with_their_rows_across_repeats_and_batches(
    tmp_path: Path, tiny_model_target: str
) -> None:
    harness = WorkerHarness(tmp_path, tiny_model_target, chunk_rows=150)
    words = ["q" + chr(ord("a") + n % 25) * (n * 7 % 11 + 1) for n in range(400)]
    lines = [f"{n},{word}" for n, word in enumerate(words)]
    job = harness.run(
        "\n".join(["id,summary", *lines, ""]).encode(), OptionalColumns(evidence=True)
    )
    assert job.state is State.COMPLETED
    assert [row[10] for row in harness.result(job.id)[1:]] == words


def test_a_job_with_evidence_fails_if_the_model_gives_none(
    tmp_path: Path, model_without_evidence_target: str
) -> None:
    harness = WorkerHarness(tmp_path, model_without_evidence_target)
    job = harness.run(catalogue(4), OptionalColumns(evidence=True))
    assert job.state is State.FAILED
    assert job.failure is not None
    assert job.failure.code == "EVIDENCE_UNAVAILABLE"
    assert "without evidence" in job.failure.message
    assert harness.run(catalogue(4)).state is State.COMPLETED


def test_a_label_request_with_evidence_fails_if_the_model_gives_none(
    tmp_path: Path, model_without_evidence_target: str
) -> None:
    response = WorkerHarness(tmp_path, model_without_evidence_target).label_now(
        "a crime", evidence=True
    )
    assert isinstance(response, Failure)
    assert response.code == "EVIDENCE_UNAVAILABLE"


def test_the_worker_reports_whether_its_model_gives_evidence(
    harness: WorkerHarness, tmp_path: Path, model_without_evidence_target: str
) -> None:
    without = WorkerHarness(tmp_path / "without", model_without_evidence_target)
    assert harness.services.models.has_evidence(harness.services.models.newest_usable())
    assert not without.services.models.has_evidence(without.services.models.newest_usable())
