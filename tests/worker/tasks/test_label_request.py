"""A few summaries answered at once: the same outcomes as in a job, and every way to have no answer."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from catalogue.labelled.labels import Label, OptionalColumns, RowError
from jobs.job import Failure
from jobs.ports.label_requests import Answer, LabelRequest
from tests.worker.worker_harness import Desk
from worker.tasks.label_request import answer_label_request

SUMMARIES = (
    "A murder, a detective and a dragon in the LIBRARY!",
    "",
    "1984 ...",
    "the poisonword",
    "a horror story " * 40,
    "x" * 100_001,
    "A murder, a detective and a dragon in the LIBRARY!",
    "",
)


@pytest.fixture
def desk(tmp_path: Path, tiny_model_target: str) -> Desk:
    return Desk(tmp_path, tiny_model_target, chunk_rows=100)


def ask(
    desk: Desk, *summaries: str, evidence: bool = False, owner: str | None = None
) -> Answer | Failure | None:
    question = LabelRequest(
        summaries=summaries, titles=("",) * len(summaries), owner=owner, evidence=evidence
    )
    question_id = desk.questions.ask(question, keep_s=60)
    answer_label_request(desk.services, question_id)
    return desk.questions.wait(question_id, within_s=0.01)


@pytest.mark.parametrize("evidence", [False, True])
def test_an_answer_says_what_a_job_says_of_the_same_summaries(desk: Desk, evidence: bool) -> None:
    answer = ask(desk, *SUMMARIES, evidence=evidence)
    assert isinstance(answer, Answer)
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["n", "summary"], *enumerate(SUMMARIES)])
    job = desk.run(text.getvalue().encode(), OptionalColumns(evidence=evidence))
    assert answer.model_version == job.model_version
    for outcome, row in zip(answer.outcomes, desk.result(job.id)[1:], strict=True):
        if isinstance(outcome, RowError):
            assert row[2:9] == ["", "", "", "", "", "true", outcome.value]
            continue
        assert row[2:9] == [
            outcome.genre,
            f"{outcome.confidence:.4f}",
            outcome.second_genre,
            f"{outcome.second_confidence:.4f}",
            "|".join(outcome.genre_set),
            str(outcome.needs_review).lower(),
            "",
        ]
        if evidence:
            assert row[9].split("|") == [weighed.word for weighed in outcome.evidence]
    problems = [o.value if isinstance(o, RowError) else "" for o in answer.outcomes]
    assert problems == ["", "EMPTY_SUMMARY", "EMPTY_SUMMARY", "MODEL_REJECTED", "", "SUMMARY_TOO_LONG", "", "EMPTY_SUMMARY"]  # fmt: skip


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


def test_hostile_summaries_are_answered_like_any_others(desk: Desk) -> None:
    answer = ask(desk, *HOSTILE, evidence=True)
    assert isinstance(answer, Answer)
    errors = {i: o for i, o in enumerate(answer.outcomes) if isinstance(o, RowError)}
    assert errors == {5: RowError.EMPTY_SUMMARY}  # signs alone are no word
    for outcome in answer.outcomes:
        if isinstance(outcome, Label):
            assert outcome.evidence
            assert all(weighed.word.isalpha() for weighed in outcome.evidence)


def test_evidence_is_there_only_where_it_was_asked_for(desk: Desk) -> None:
    with_it, without = ask(desk, SUMMARIES[0], evidence=True), ask(desk, SUMMARIES[0])
    assert isinstance(with_it, Answer)
    assert isinstance(without, Answer)
    (told,), (silent,) = with_it.outcomes, without.outcomes
    assert isinstance(told, Label)
    assert isinstance(silent, Label)
    assert [w.word for w in told.evidence] == ["murder", "detective", "dragon"]
    assert silent == replace(told, evidence=())


def test_a_question_is_answered_once_however_often_its_message_comes(desk: Desk) -> None:
    question = LabelRequest(summaries=SUMMARIES[:1], titles=("",), owner=None)
    question_id = desk.questions.ask(question, keep_s=60)
    answer_label_request(desk.services, question_id)
    answer_label_request(desk.services, question_id)
    assert isinstance(desk.questions.wait(question_id, within_s=0.01), Answer)
    assert desk.questions.wait(question_id, within_s=0.01) is None


def test_without_a_model_the_answer_is_that_it_is_away(tmp_path: Path) -> None:
    answer = ask(Desk(tmp_path, "127.0.0.1:1"), "a crime")
    assert isinstance(answer, Failure)
    assert answer.code == "MODEL_UNAVAILABLE"


def test_a_model_with_other_cleaning_rules_answers_no_question(
    tmp_path: Path, foreign_model_target: str
) -> None:
    answer = ask(Desk(tmp_path, foreign_model_target), "a crime")
    assert isinstance(answer, Failure)
    assert answer.code == "MODEL_MISMATCH"
