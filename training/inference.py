"""Label one text or a CSV with a published model.

``python -m training.inference "text"`` or ``python -m training.inference books.csv``. It is
for inspecting a model; use the service for files of any size.
"""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from catalogue.text.cleaning import CLEANING_FINGERPRINT, clean_book
from catalogue.text.language import foreign_language
from training.data.dataset import Book, read_books
from training.errors import TrainingError

DEFAULT_MODEL_ROOT = Path("serving/models/genre")

_BATCH_ROWS = 128


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The prediction for one text."""

    genre: str | None  # None: no word is left, or the text is not in English
    confidence: float
    needs_review: bool
    genre_set: tuple[str, ...]


class Predictor:
    """A published model, loaded in this process."""

    def __init__(self, version_folder: Path) -> None:
        """
        Raises:
            TrainingError: there is no model, or it was trained with other cleaning rules.
        """
        if not (version_folder / "saved_model.pb").is_file():
            raise TrainingError(
                f"{version_folder} contains no SavedModel; train and publish one first."
            )
        self._model = tf.saved_model.load(str(version_folder))
        output = self._model.signatures["describe"](query=tf.constant([""]))
        self.description: dict[str, Any] = json.loads(output["description"].numpy()[0])
        if self.description["cleaning_fingerprint"] != CLEANING_FINGERPRINT:
            raise TrainingError(
                f"{version_folder} was trained on texts cleaned by other rules; train a model "
                "again."
            )

    def input_text(self, book: Book) -> str:
        """The cleaned input of the model; "" if no word is left or it is not in English."""
        if foreign_language(book.summary) is not None:
            return ""
        title = book.title if self.description.get("reads_title") else ""
        return clean_book(title, book.summary)

    def probabilities(self, books: Sequence[Book]) -> npt.NDArray[np.float32]:
        """float32 [N, K], in the order of the books."""
        cleaned = [self.input_text(book) for book in books]
        order = sorted(range(len(cleaned)), key=lambda row: len(cleaned[row]))
        result = np.zeros((len(books), len(self.description["labels"])), dtype=np.float32)
        serve = self._model.signatures["serving_default"]
        for begin in range(0, len(order), _BATCH_ROWS):
            rows = order[begin : begin + _BATCH_ROWS]
            output = serve(summary=tf.constant([cleaned[row] for row in rows]))
            result[rows] = output["probabilities"].numpy()
        return result

    def predict(self, books: Sequence[Book]) -> list[Prediction]:
        """One prediction per book, in order."""
        labels = self.description["labels"]
        min_probability = 1.0 - self.description["conformal"]["quantile"]
        predictions = []
        for book, row in zip(books, self.probabilities(books), strict=True):
            best = int(row.argmax())
            ranked = [int(i) for i in np.argsort(-row, kind="stable")]
            predictions.append(
                Prediction(
                    genre=labels[best] if self.input_text(book) else None,
                    confidence=float(row[best]),
                    needs_review=bool(row[best] < self.description["review_threshold"]),
                    genre_set=tuple(
                        labels[i] for i in ranked if i == best or row[i] >= min_probability
                    ),
                )
            )
        return predictions


def newest_version(model_root: Path) -> Path:
    """The folder of the highest version number.

    Raises:
        TrainingError: the folder contains no version.
    """
    versions = [p for p in model_root.glob("*") if p.name.isdecimal()]
    if not versions:
        raise TrainingError(f"{model_root} contains no model version; train and publish one first.")
    return max(versions, key=lambda path: int(path.name))


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.inference", description=__doc__)
    parser.add_argument("input", help="a text, or the path of a CSV with a summary column")
    parser.add_argument("--model-root", type=Path, default=DEFAULT_MODEL_ROOT)
    parser.add_argument("--summary-column")
    parser.add_argument("--title", default="", help="the title of the book, for a text")
    options = parser.parse_args(arguments)
    try:
        predictor = Predictor(newest_version(options.model_root))
        is_file = options.input.endswith(".csv")
        books = (
            read_books(Path(options.input), summary_column=options.summary_column)
            if is_file
            else [Book(title=options.title, summary=options.input)]
        )
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    writer = csv.writer(sys.stdout)
    writer.writerow(["row", "genre", "confidence", "needs_review", "genre_set"])
    for number, prediction in enumerate(predictor.predict(books)):
        if prediction.genre is None:
            writer.writerow([number, "", "", "", ""])
            continue
        confidence = f"{prediction.confidence:.4f}"
        review = str(prediction.needs_review).lower()
        writer.writerow(
            [number, prediction.genre, confidence, review, "|".join(prediction.genre_set)]
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
