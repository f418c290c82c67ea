"""The shipped model agrees with its card and fits the other packages."""

from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from training.data.dataset import Book
from training.export.saved_model import WARM_UP
from training.export.verify import SessionModel, portable_operations
from training.inference import Predictor, newest_version

ROOT = Path(__file__).parents[2]
VERSION = newest_version(ROOT / "serving" / "models" / "genre")
CLEAR_CASES = {
    "crime": "The inspector questions the suspects after the murder of a banker; the detective "
    "finds the knife, a false alibi and a witness who lied to the police about the killer.",
    "fantasy": "A young wizard must carry a magic sword across the kingdom of elves and dwarves "
    "to break the spell of the dark sorcerer and the dragon that guards his castle.",
    "romance": "When Emma falls in love with her best friend's handsome brother one summer, a "
    "wedding, a kiss and a broken heart make her wonder whether she may trust her feelings.",
    "sports": "The story of a basketball team, its coach and its players, season by season, from "
    "the first practice to the championship game, with the athletes' own words.",
}


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(VERSION)


def test_the_model_fits_the_repository() -> None:
    size = sum(path.stat().st_size for path in VERSION.rglob("*") if path.is_file())
    assert size <= 12_000_000


def test_clear_cases_get_their_genre(predictor: Predictor) -> None:
    predictions = predictor.predict([Book(summary=text) for text in CLEAR_CASES.values()])
    assert [row.genre for row in predictions] == list(CLEAR_CASES)


def test_the_card_describes_the_shipped_version(predictor: Predictor) -> None:
    card = (ROOT / "docs" / "model_card.md").read_text(encoding="utf-8")
    assert f"version {VERSION.name}" in card
    assert f"**{predictor.description['metrics']['macro_f1']:.3f}**" in card
    assert predictor.description["cleaning_fingerprint"] in card
    assert predictor.description["training"]["data_fingerprint"] in card


def test_a_session_agrees_with_the_inference_command(predictor: Predictor) -> None:
    texts = ["detective murder", "qqq zzz", "dragon " * 3000]
    with SessionModel(VERSION) as served:
        for text in texts:
            alone = served.probabilities([text.strip()])[0]
            assert alone == pytest.approx(
                predictor.probabilities([Book(summary=text)])[0], abs=1e-5
            )
            assert alone.sum() == pytest.approx(1.0, abs=1e-5)


def test_evidence_has_words_of_the_genre() -> None:
    with SessionModel(VERSION) as served:
        evidence = served.evidence(["young girl detective murder police station morning"])[0]
    assert {"detective", "murder", "police"} & {word for word, _ in evidence[:3]}


def test_every_operation_is_portable() -> None:
    assert portable_operations(VERSION)


def test_the_model_answers_the_warm_up_requests() -> None:
    records = list(tf.data.TFRecordDataset(str(VERSION / WARM_UP)).as_numpy_iterator())
    assert len(records) == 3
    with SessionModel(VERSION) as served:
        for record in records:
            request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
            assert request.model_spec.signature_name == "serving_default"
            texts = [text.decode() for text in request.inputs["summary"].string_val]
            assert served.probabilities(texts).shape == (len(texts), 10)
