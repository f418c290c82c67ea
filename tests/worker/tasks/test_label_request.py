"""Label requests: the same outcomes as in a job, and every reason for a failure."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from catalogue.labelled.labels import Label, OptionalColumns, RowError
from jobs.job import Failure
from jobs.ports.label_requests import LabelRequest, LabelResponse
from tests.worker.worker_harness import WorkerHarness
from worker.tasks.label_request import process_label_request

GERMAN = "Der Drache und die Tochter des Königs: ein Roman über das Ende einer Welt."
SUMMARIES = (
    "A murder, a detective and a dragon in the LIBRARY!",
    "",
    "1984 ...",
    "the poisonword",
    "a horror story " * 40,
    "x" * 100_001,
    GERMAN,
    "A murder, a detective and a dragon in the LIBRARY!",
    "",
)


@pytest.fixture
def harness(tmp_path: Path, tiny_model_target: str) -> WorkerHarness:
    return WorkerHarness(tmp_path, tiny_model_target, chunk_rows=100)


@pytest.mark.parametrize("evidence", [False, True])
def test_a_label_request_gives_the_same_outcomes_as_a_job(
    harness: WorkerHarness, evidence: bool
) -> None:
    response = harness.label_now(*SUMMARIES, evidence=evidence)
    assert isinstance(response, LabelResponse)
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["n", "summary"], *enumerate(SUMMARIES)])
    job = harness.run(text.getvalue().encode(), OptionalColumns(evidence=evidence))
    assert response.model_version == job.model_version
    for outcome, row in zip(response.outcomes, harness.result(job.id)[1:], strict=True):
        if isinstance(outcome, RowError):
            error = [outcome.code.value, outcome.detail]
            assert row[2:10] == ["", "", "", "", "", "true", *error]
            continue
        assert row[2:10] == [
            outcome.genre,
            f"{outcome.confidence:.4f}",
            outcome.second_genre,
            f"{outcome.second_confidence:.4f}",
            "|".join(outcome.genre_set),
            str(outcome.needs_review).lower(),
            "",
            "",
        ]
        if evidence:
            assert row[10].split("|") == [weighted.word for weighted in outcome.evidence]
    errors = [o.code.value if isinstance(o, RowError) else "" for o in response.outcomes]
    assert errors == [
        "",
        "EMPTY_SUMMARY",
        "EMPTY_SUMMARY",
        "MODEL_REJECTED",
        "",
        "SUMMARY_TOO_LONG",
        "UNSUPPORTED_LANGUAGE",
        "",
        "EMPTY_SUMMARY",
    ]


HOSTILE = (
    "a dragon \ud83d",
    "a dragon\x00 and a wizard \x1b[2J",
    "=cmd|' /C calc'!A0 dragon",
    "a\u0301" * 40_000,
    "&amp;" * 15_000 + " dragon",
    "<" * 50_000,
    "d" * 99_999,
    "\u202edragon \ufeff\u200b 書 🐉",
    "' OR 1=1; DROP TABLE books; -- ${jndi:ldap://x}",
)


def test_hostile_summaries_are_labelled_like_any_others(harness: WorkerHarness) -> None:
    response = harness.label_now(*HOSTILE, evidence=True)
    assert isinstance(response, LabelResponse)
    errors = {i: o for i, o in enumerate(response.outcomes) if isinstance(o, RowError)}
    assert errors == {5: RowError.EMPTY_SUMMARY}  # signs only
    for outcome in response.outcomes:
        if isinstance(outcome, Label):
            assert outcome.evidence
            assert all(weighted.word.isalpha() for weighted in outcome.evidence)


def test_evidence_is_included_only_if_requested(harness: WorkerHarness) -> None:
    with_evidence, without = (
        harness.label_now(SUMMARIES[0], evidence=True),
        harness.label_now(SUMMARIES[0]),
    )
    assert isinstance(with_evidence, LabelResponse)
    assert isinstance(without, LabelResponse)
    (long,), (short,) = with_evidence.outcomes, without.outcomes
    assert isinstance(long, Label)
    assert isinstance(short, Label)
    assert [w.word for w in long.evidence] == ["murder", "detective", "dragon"]
    assert short == replace(long, evidence=())


def test_a_repeated_message_answers_a_label_request_once(
    harness: WorkerHarness,
) -> None:
    request = LabelRequest(summaries=SUMMARIES[:1], titles=("",), owner=None)
    request_id = harness.label_requests.submit(request, ttl_s=60)
    process_label_request(harness.services, request_id)
    process_label_request(harness.services, request_id)
    assert isinstance(harness.label_requests.wait(request_id, timeout_s=0.01), LabelResponse)
    assert harness.label_requests.wait(request_id, timeout_s=0.01) is None


def test_a_label_request_fails_if_the_model_server_is_unreachable(tmp_path: Path) -> None:
    response = WorkerHarness(tmp_path, "127.0.0.1:1").label_now("a crime")
    assert isinstance(response, Failure)
    assert response.code == "MODEL_UNAVAILABLE"


def test_a_label_request_fails_if_the_model_has_other_cleaning_rules(
    tmp_path: Path, foreign_model_target: str
) -> None:
    response = WorkerHarness(tmp_path, foreign_model_target).label_now("a crime")
    assert isinstance(response, Failure)
    assert response.code == "MODEL_MISMATCH"
