"""Four ways to the same label, on every real row of the project: none of them may clean or decide differently."""

from __future__ import annotations

import csv
from typing import NamedTuple

import pytest

from catalogue import clean
from tests.end_to_end.test_labelling import read
from tests.end_to_end.test_single_summaries import ask
from tests.stack import ROOT, SAMPLE, Stack
from training.inference import Predictor, newest_version
from worker.decision import decide
from worker.model_client import ModelClient

# What a few texts more or less in a batch change in a float, and what four decimals round away.
CLOSE = 1.1e-4


class Found(NamedTuple):
    genre: str
    genre_set: tuple[str, ...]
    needs_review: bool


@pytest.fixture(scope="module")
def texts() -> list[str]:
    found = []
    for path, column in ((ROOT / "data" / "books.csv", "summary"), (SAMPLE, "Description")):
        with path.open(encoding="utf-8", newline="") as stream:
            found += [row[column] for row in csv.DictReader(stream)]
    return [text for text in found if clean(text)]


@pytest.fixture(scope="module")
def reference(texts: list[str]) -> tuple[list[Found], list[float]]:
    """What `training.inference` says, and how sure it is."""
    predictions = Predictor(newest_version(ROOT / "serving" / "models" / "genre")).predict(texts)
    labels = [Found(p.genre or "", p.genre_set, p.needs_review) for p in predictions]
    return labels, [p.confidence for p in predictions]


def test_there_are_enough_rows_to_tell(texts: list[str]) -> None:
    assert len(texts) >= 500


def test_the_embedded_server_agrees_with_training_inference(
    stack: Stack, texts: list[str], reference: tuple[list[Found], list[float]]
) -> None:
    address = stack.processes("-m serving")[0].environ()["SPINELABEL_SERVING_ADDRESS"]
    client = ModelClient(address, "genre", deadline_s=60, retry_for_s=60)
    version = client.versions()[0]
    model = client.describe(version)
    rows = client.submit(version, [clean(text) for text in texts]).result()
    client.close()
    labels = [decide(row, model) for row in rows]
    assert [Found(x.genre, x.genre_set, x.needs_review) for x in labels] == reference[0]
    assert [label.confidence for label in labels] == pytest.approx(reference[1], abs=CLOSE)


def test_a_job_agrees_with_training_inference(
    stack: Stack, texts: list[str], reference: tuple[list[Found], list[float]]
) -> None:
    quoted = ('"' + text.replace('"', '""') + '"' for text in texts)
    job = stack.wait(stack.submit("\n".join(["summary", *quoted, ""]).encode()))
    rows = read(stack.result(str(job["id"])))[1:]
    labels = [Found(row[1], tuple(row[5].split("|")), row[6] == "true") for row in rows]
    assert labels == reference[0]
    assert [float(row[2]) for row in rows] == pytest.approx(reference[1], abs=CLOSE)


def test_single_summaries_agree_with_training_inference(
    stack: Stack, texts: list[str], reference: tuple[list[Found], list[float]]
) -> None:
    answers = [
        label
        for start in range(0, len(texts), 50)
        for label in ask(stack, texts[start : start + 50])
    ]
    labels = [
        Found(a["predicted_genre"], tuple(a["genre_set"]), a["needs_review"]) for a in answers
    ]
    assert labels == reference[0]
    assert [a["confidence"] for a in answers] == pytest.approx(reference[1], abs=CLOSE)
