"""`/v1/label` through real processes: the labels of a job, before bulk work, with evidence."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from catalogue.labelled.labels import LABEL_COLUMNS
from catalogue.text.cleaning import clean
from tests.end_to_end.labelled_csv import parse_csv
from tests.stack import ROOT, Stack, many_rows

COMMAND_SECONDS = 600
SUMMARIES = [
    "The inspector questions the suspects after the murder of a banker; the detective finds the knife.",
    "A young wizard carries a magic sword through the kingdom of the dark sorcerer and his dragon.",
    "1984 ...",
    "",
]
GERMAN = "Die Tochter des Müllers und der Drache, der ihr das Leben rettet."


def request_labels(stack: Stack, summaries: list[str], **options: bool) -> list[dict[str, Any]]:
    response = stack.http.post("/v1/label", json={"summaries": summaries, **options})
    assert response.status_code == 200, response.text
    labels: list[dict[str, Any]] = response.json()["labels"]
    return labels


def cells(label: dict[str, Any]) -> list[str]:
    """The label as the columns of a labelled catalogue."""
    if label["row_error"]:
        return ["", "", "", "", "", "true", label["row_error"], label["row_error_detail"] or ""]
    return [
        label["predicted_genre"],
        f"{label['confidence']:.4f}",
        label["second_genre"],
        f"{label['second_confidence']:.4f}",
        "|".join(label["genre_set"]),
        str(label["needs_review"]).lower(),
        "",
        "",
    ]


def test_label_requests_give_the_labels_and_evidence_of_a_job(stack: Stack, sample: bytes) -> None:
    header, *rows = parse_csv(sample)
    column = header.index("Description")
    summaries = [row[column] for row in rows[:50]]
    content = "\n".join(["summary", *('"' + s.replace('"', '""') + '"' for s in summaries), ""])
    job = stack.wait(stack.submit(content.encode(), evidence="true"))
    assert (job["state"], job["evidence"]) == ("completed", True)
    columns, *labelled = parse_csv(stack.result(str(job["id"])))
    assert columns == ["summary", *LABEL_COLUMNS, "evidence"]
    labels = request_labels(stack, summaries, evidence=True)
    assert [row[1:9] for row in labelled] == [cells(label) for label in labels]
    for row, label in zip(labelled, labels, strict=True):
        words = [entry["word"] for entry in label["evidence"]]
        assert row[9] == "|".join(words)
        assert bool(words) is not bool(label["row_error"])
        assert set(words) <= set(clean(row[0]).split())
        assert sum(entry["weight"] for entry in label["evidence"]) <= 1.001


def test_summaries_without_words_are_errors_and_others_are_labelled(stack: Stack) -> None:
    labels = request_labels(stack, SUMMARIES)
    assert [label["predicted_genre"] for label in labels] == ["crime", "fantasy", None, None]
    assert [label["row_error"] for label in labels[2:]] == ["EMPTY_SUMMARY"] * 2
    assert all(label["evidence"] is None for label in labels)


def test_a_summary_in_another_language_is_named_and_not_labelled(stack: Stack) -> None:
    german, english = request_labels(stack, [GERMAN, SUMMARIES[0]])
    assert german["predicted_genre"] is None
    assert (german["row_error"], german["row_error_detail"]) == ("UNSUPPORTED_LANGUAGE", "de")
    assert "German" in german["message"]
    assert english["predicted_genre"] == "crime"


def test_a_label_request_does_not_wait_for_a_large_catalogue(stack: Stack) -> None:
    with stack.suspended_worker() as worker:
        large = stack.submit(many_rows(rows=30_000))
        worker.work_until_half_done(large)
    assert request_labels(stack, SUMMARIES)[0]["predicted_genre"] == "crime"
    assert stack.is_half_done(large)
    stack.http.post(f"/v1/jobs/{large}/cancel")
    stack.wait(large)


def test_evidence_is_byte_identical_after_workers_were_killed(
    stack: Stack,
) -> None:
    content = many_rows()
    undisturbed = stack.submit(content, evidence="true")
    assert stack.wait(undisturbed)["state"] == "completed"
    with stack.suspended_worker() as worker:
        disturbed = stack.submit(content, evidence="true")
        worker.work_until_half_done(disturbed)
        for child in stack.worker_children():
            child.kill()
    assert stack.wait(disturbed)["state"] == "completed"
    assert stack.result(disturbed) == stack.result(undisturbed)


def test_explain_uses_the_running_stack(stack: Stack) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "cli", "explain", SUMMARIES[0], "--data-dir", stack.data_dir],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=COMMAND_SECONDS,
    )
    first, *rest = result.stdout.splitlines()
    assert first.startswith("crime, ")
    assert any("detective" in line and "%" in line for line in rest)
    assert result.stderr == ""


def test_the_model_description_states_that_it_gives_evidence(stack: Stack) -> None:
    assert stack.http.get("/v1/model").json()["evidence"] is True
