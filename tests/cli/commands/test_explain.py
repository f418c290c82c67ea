"""One summary explained, as a person and as a program reads it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands.test_commands import run
from tests.cli.fake_api import FakeApi
from tests.stack import ROOT
from tests.waiting import WITHIN_S

LABEL: dict[str, Any] = {
    "predicted_genre": "crime",
    "confidence": 0.5767,
    "second_genre": "thriller",
    "second_confidence": 0.21,
    "genre_set": ["crime", "thriller"],
    "needs_review": True,
    "row_error": None,
    "row_error_detail": None,
    "message": None,
    "evidence": [{"word": "inquest", "weight": 0.24}, {"word": "constable", "weight": 0.12}],
}
IN_ERROR = dict.fromkeys(LABEL) | {
    "genre_set": [],
    "needs_review": True,
    "row_error": "EMPTY_SUMMARY",
    "message": "The summary holds no words.",
    "evidence": [],
}


def test_a_person_reads_genre_runner_up_and_words_in_their_weight(
    api: FakeApi, tmp_path: Path
) -> None:
    api.labels = {"model_version": 2, "labels": [LABEL]}
    code, out, err = run("explain", "An inquest", "--server", api.url, folder=tmp_path)
    assert (code, err) == (0, "")
    assert api.questions == [{"summaries": ["An inquest"], "evidence": True}]
    assert out.splitlines() == [
        "crime, 58%: please review",
        "  runner-up   thriller, 21%",
        "  one of      crime, thriller",
        "  because of  inquest     24%  ████████████████████████",
        "              constable   12%  ████████████",
    ]


def test_a_title_is_sent_along(api: FakeApi, tmp_path: Path) -> None:
    api.labels = {"model_version": 2, "labels": [LABEL]}
    run("explain", "An inquest", "--title", "Clues", "--server", api.url, folder=tmp_path)
    assert api.questions[0]["summaries"] == [{"title": "Clues", "summary": "An inquest"}]


def test_a_program_reads_all_of_it_as_json(api: FakeApi, tmp_path: Path) -> None:
    api.labels = {"model_version": 2, "labels": [LABEL]}
    code, out, _ = run("explain", "x", "--json", "--server", api.url, folder=tmp_path)
    assert (code, json.loads(out)) == (0, {"model_version": 2, **LABEL})


def test_a_dash_reads_standard_input_whatever_its_bytes(api: FakeApi) -> None:
    api.labels = {"model_version": 2, "labels": [LABEL | {"evidence": [], "needs_review": False}]}
    done = subprocess.run(
        [sys.executable, "-m", "cli", "explain", "-", "--server", api.url],
        input="Ein Café".encode() + b"\xff\n",
        capture_output=True,
        cwd=ROOT,
        check=True,
        timeout=WITHIN_S,
    )
    assert api.questions[0]["summaries"] == ["Ein Café\ufffd\n"]
    assert b"sure enough" in done.stdout
    assert b"no single word" in done.stdout


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_summary_without_a_label_is_wrong_input_with_its_reason(
    api: FakeApi, tmp_path: Path, options: list[str]
) -> None:
    api.labels = {"model_version": 2, "labels": [IN_ERROR]}
    code, out, err = run("explain", "1984", "--server", api.url, *options, folder=tmp_path)
    assert code == 2
    assert err == "Error: The summary holds no words.\n"
    assert bool(out) is bool(options)


def test_a_server_that_is_busy_is_asked_again(api: FakeApi, tmp_path: Path) -> None:
    api.labels = {"model_version": 2, "labels": [LABEL]}
    api.refusals = [
        (504, "LABEL_TIMEOUT", "No worker answered."),
        (503, "TOO_MANY_LONG_POLLS", "Many."),
    ]
    assert run("explain", "x", "--server", api.url, folder=tmp_path)[0] == 0


def test_an_answer_that_is_not_ours_is_no_fault_of_the_program(
    api: FakeApi, tmp_path: Path
) -> None:
    api.labels = {"something": "else"}
    assert run("explain", "x", "--server", api.url, folder=tmp_path)[0] == 3
