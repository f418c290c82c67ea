import csv
import io
from pathlib import Path

import pytest

from tests.training.conftest import SmallRun
from training.data.dataset import Book
from training.errors import TrainingError
from training.inference import Predictor, main, newest_version


def test_predictions_are_in_the_order_of_the_texts(small_run: SmallRun) -> None:
    predictor = Predictor(newest_version(small_run.model_root))
    texts = ["A dragon!", "The DETECTIVE found the knife. " * 30, "Visa, train & hotel"]
    books = [Book(summary=text) for text in texts]
    together = predictor.probabilities(books)
    for book, row in zip(books, together, strict=True):
        assert row == pytest.approx(predictor.probabilities([book])[0], abs=1e-5)


def test_a_title_precedes_the_summary(small_run: SmallRun) -> None:
    predictor = Predictor(newest_version(small_run.model_root))
    titled, plain, joined = predictor.probabilities(
        [
            Book(title="The Dragon", summary="An old house."),
            Book(summary="An old house."),
            Book(summary="The dragon; an old house."),
        ]
    )
    assert titled == pytest.approx(joined, abs=1e-5)
    assert titled != pytest.approx(plain, abs=1e-3)


def test_the_predicted_genre_is_first_in_its_set(small_run: SmallRun) -> None:
    prediction = Predictor(newest_version(small_run.model_root)).predict(
        [Book(summary="dragon sword magic")]
    )[0]
    assert prediction.genre is not None
    assert prediction.genre_set[0] == prediction.genre
    assert 0 < prediction.confidence <= 1


def test_a_text_without_words_has_no_genre(small_run: SmallRun) -> None:
    predictor = Predictor(newest_version(small_run.model_root))
    assert predictor.predict([Book(title="Dragons", summary="1984 ...")])[0].genre is None


def test_a_csv_is_labelled_row_by_row(
    small_run: SmallRun, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(small_run.data), "--model-root", str(small_run.model_root)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["row"] for row in rows] == [str(i) for i in range(60)]
    assert {row["genre"] for row in rows} <= {"crime", "fantasy", "travel"}


def test_a_folder_without_a_model_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="contains no model version"):
        newest_version(tmp_path)
    with pytest.raises(TrainingError, match="contains no SavedModel"):
        Predictor(tmp_path)


def test_the_newest_version_is_the_highest_number(tmp_path: Path) -> None:
    for name in ("9", "10", "11.partial"):
        (tmp_path / name).mkdir()
    assert newest_version(tmp_path).name == "10"
