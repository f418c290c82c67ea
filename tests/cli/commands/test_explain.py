"""`explain` labels one summary and prints the label as text or as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.program import run
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
ROW_ERROR = dict.fromkeys(LABEL) | {
    "genre_set": [],
    "needs_review": True,
    "row_error": "EMPTY_SUMMARY",
    "message": "The summary contains no words.",
    "evidence": [],
}


def test_the_text_has_genre_runner_up_and_weighted_words(api: FakeApi, tmp_path: Path) -> None:
    api.labels = {"model_version": 2, "labels": [LABEL]}
    code, out, err = run("explain", "An inquest", "--server", api.url, folder=tmp_path)
    assert (code, err) == (0, "")
    assert api.label_requests == [{"summaries": ["An inquest"], "evidence": True}]
    assert out.splitlines() == [
        "crime, 58%: please review",
        "  runner-up   thriller, 21%",
        "  one of      crime, thriller",
        "  because of  inquest     24%  ████████████████████████",
        "              constable   12%  ████████████",
    ]


def test_a_title_is_sent_with_the_summary(api: FakeApi, tmp_path: Path) -> None:
    api.labels = {"model_version": 2, "labels": [LABEL]}
    run("explain", "An inquest", "--title", "Clues", "--server", api.url, folder=tmp_path)
    assert api.label_requests[0]["summaries"] == [{"title": "Clues", "summary": "An inquest"}]


def test_the_json_output_is_complete(api: FakeApi, tmp_path: Path) -> None:
    api.labels = {"model_version": 2, "labels": [LABEL]}
    code, out, _ = run("explain", "x", "--json", "--server", api.url, folder=tmp_path)
    assert (code, json.loads(out)) == (0, {"model_version": 2, **LABEL})


def test_a_dash_reads_standard_input_with_any_bytes(api: FakeApi) -> None:
    api.labels = {"model_version": 2, "labels": [LABEL | {"evidence": [], "needs_review": False}]}
    result = subprocess.run(
        [sys.executable, "-m", "cli", "explain", "-", "--server", api.url],
        input="Ein Café".encode() + b"\xff\n",
        capture_output=True,
        cwd=ROOT,
        check=True,
        timeout=WITHIN_S,
    )
    assert api.label_requests[0]["summaries"] == ["Ein Café\ufffd\n"]
    assert b"confident enough" in result.stdout
    assert b"no single word" in result.stdout


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_summary_without_a_label_gives_exit_code_2_and_a_reason(
    api: FakeApi, tmp_path: Path, options: list[str]
) -> None:
    api.labels = {"model_version": 2, "labels": [ROW_ERROR]}
    code, out, err = run("explain", "1984", "--server", api.url, *options, folder=tmp_path)
    assert code == 2
    assert err == "Error: The summary contains no words.\n"
    assert bool(out) is bool(options)


def test_a_busy_server_is_retried(api: FakeApi, tmp_path: Path) -> None:
    api.labels = {"model_version": 2, "labels": [LABEL]}
    api.refusals = [
        (504, "LABEL_TIMEOUT", "No worker answered."),
        (503, "TOO_MANY_LONG_POLLS", "Many."),
    ]
    assert run("explain", "x", "--server", api.url, folder=tmp_path)[0] == 0


def test_an_unexpected_response_gives_exit_code_3(api: FakeApi, tmp_path: Path) -> None:
    api.labels = {"something": "else"}
    assert run("explain", "x", "--server", api.url, folder=tmp_path)[0] == 3
