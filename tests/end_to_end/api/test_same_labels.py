"""Training, model server, job and label request give the same label on every real row."""

from __future__ import annotations

import csv
import io
from typing import Any, NamedTuple

import pytest

from catalogue.text.cleaning import clean_book
from tests.end_to_end.labelled_csv import parse_csv
from tests.stack import ROOT, SAMPLE, Stack
from training.data.dataset import Book
from training.inference import Predictor, newest_version
from worker.model.client import ModelClient
from worker.pipeline.label_rules import to_labels

# The effect of the batch size on floats, plus rounding to four decimals.
TOLERANCE = 1.1e-4


class LabelFields(NamedTuple):
    genre: str
    genre_set: tuple[str, ...]
    needs_review: bool


@pytest.fixture(scope="module")
def books() -> list[Book]:
    books = []
    for path, title, summary in (
        (ROOT / "data" / "books.csv", "title", "summary"),
        (SAMPLE, "Title", "Description"),
    ):
        with path.open(encoding="utf-8", newline="") as stream:
            rows = csv.DictReader(stream)
            books += [Book(title=row[title], summary=row[summary]) for row in rows]
    return [book for book in books if clean_book(book.title, book.summary)]


@pytest.fixture(scope="module")
def reference(books: list[Book]) -> tuple[list[LabelFields], list[float]]:
    """The labels and confidences of `training.inference`."""
    predictions = Predictor(newest_version(ROOT / "serving" / "models" / "genre")).predict(books)
    labels = [LabelFields(p.genre or "", p.genre_set, p.needs_review) for p in predictions]
    return labels, [p.confidence for p in predictions]


def test_there_are_enough_rows_for_a_comparison(books: list[Book]) -> None:
    assert len(books) >= 500


def test_the_embedded_server_agrees_with_training_inference(
    stack: Stack, books: list[Book], reference: tuple[list[LabelFields], list[float]]
) -> None:
    address = stack.processes("-m serving")[0].environ()["SPINELABEL_SERVING_ADDRESS"]
    client = ModelClient(address, "genre", deadline_s=60, retry_for_s=60)
    version = client.versions()[0]
    model = client.describe(version)
    texts = [clean_book(book.title if model.reads_title else "", book.summary) for book in books]
    rows = client.submit(version, texts).result()
    client.close()
    labels = to_labels(rows, model)
    assert [LabelFields(x.genre, x.genre_set, x.needs_review) for x in labels] == reference[0]
    assert [label.confidence for label in labels] == pytest.approx(reference[1], abs=TOLERANCE)


def test_a_job_agrees_with_training_inference(
    stack: Stack, books: list[Book], reference: tuple[list[LabelFields], list[float]]
) -> None:
    catalogue = io.StringIO()
    writer = csv.writer(catalogue)
    writer.writerows([("summary", "title"), *((book.summary, book.title) for book in books)])
    job = stack.wait(stack.submit(catalogue.getvalue().encode()))
    rows = parse_csv(stack.result(str(job["id"])))[1:]
    labels = [LabelFields(row[2], tuple(row[6].split("|")), row[7] == "true") for row in rows]
    assert labels == reference[0]
    assert [float(row[3]) for row in rows] == pytest.approx(reference[1], abs=TOLERANCE)


def test_label_requests_agree_with_training_inference(
    stack: Stack, books: list[Book], reference: tuple[list[LabelFields], list[float]]
) -> None:
    documents = [
        label
        for start in range(0, len(books), 50)
        for label in request_labels(stack, books[start : start + 50])
    ]
    labels = [
        LabelFields(a["predicted_genre"], tuple(a["genre_set"]), a["needs_review"])
        for a in documents
    ]
    assert labels == reference[0]
    assert [a["confidence"] for a in documents] == pytest.approx(reference[1], abs=TOLERANCE)


def request_labels(stack: Stack, books: list[Book]) -> list[dict[str, Any]]:
    body = {"summaries": [{"title": book.title, "summary": book.summary} for book in books]}
    response = stack.http.post("/v1/label", json=body)
    assert response.status_code == 200, response.text
    labels: list[dict[str, Any]] = response.json()["labels"]
    return labels
