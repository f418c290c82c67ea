import json

import numpy as np
import pytest

from training.config import CalibrationConfig
from training.evaluation.metrics import bootstrap_interval, confident_mistakes, evaluate, macro_f1

NAMES = ("crime", "fantasy", "history")


def _predictions(count: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(7)
    labels = random.integers(0, 3, count)
    logits = random.normal(size=(count, 3)) + 2.0 * np.eye(3)[labels]
    return logits, labels, np.arange(count) % 3


def test_the_document_is_json_and_its_counts_agree() -> None:
    logits, labels, folds = _predictions()
    metrics = evaluate(logits, labels, folds, NAMES, CalibrationConfig(), seed=7)
    assert json.loads(json.dumps(metrics)) == metrics
    assert sum(map(sum, metrics["confusion"])) == metrics["rows"] == 300
    assert [sum(row) for row in metrics["confusion"]] == [
        metrics["per_class"][name]["rows"] for name in NAMES
    ]
    assert sum(row["rows"] for row in metrics["reliability"]) == 300


def test_macro_f1_is_the_mean_of_the_classes() -> None:
    logits, labels, folds = _predictions()
    metrics = evaluate(logits, labels, folds, NAMES, CalibrationConfig(), seed=7)
    mean = np.mean([row["f1"] for row in metrics["per_class"].values()])
    assert metrics["macro_f1"] == pytest.approx(mean)
    low, high = metrics["macro_f1_interval"]
    assert low < metrics["macro_f1"] < high


def test_the_interval_is_the_same_for_the_same_seed() -> None:
    _, labels, _ = _predictions()
    predicted = np.roll(labels, 1)
    assert bootstrap_interval(labels, predicted, seed=7) == bootstrap_interval(
        labels, predicted, seed=7
    )


def test_a_perfect_model_has_a_perfect_interval() -> None:
    labels = np.arange(30) % 3
    assert macro_f1(labels, labels) == 1.0
    assert bootstrap_interval(labels, labels, seed=7) == (1.0, 1.0)


def test_genre_sets_are_checked_for_every_class() -> None:
    logits, labels, folds = _predictions(3000)
    metrics = evaluate(logits, labels, folds, NAMES, CalibrationConfig(), seed=7)
    assert metrics["conformal"]["coverage"] == pytest.approx(0.9, abs=0.02)
    assert set(metrics["conformal"]["coverage_per_class"]) == set(NAMES)


def test_the_most_confident_mistakes_come_first() -> None:
    logits, labels, _ = _predictions()
    titles = [f"book {i}" for i in range(300)]
    mistakes = confident_mistakes(logits, labels, NAMES, titles, titles, count=5)
    assert len(mistakes) == 5
    assert all(row["label"] != row["predicted"] for row in mistakes)
    confidences = [row["confidence"] for row in mistakes]
    assert confidences == sorted(confidences, reverse=True)


def test_groups_have_f1_only_for_labels_with_enough_rows() -> None:
    logits, labels, folds = _predictions()
    few = (labels != 2) | (np.arange(300) < 12)
    metrics = evaluate(
        logits, labels, folds, NAMES, CalibrationConfig(), seed=7, groups={"few": few, "no": ~few}
    )
    assert metrics["groups"]["few"]["rows"] + metrics["groups"]["no"]["rows"] == 300
    assert set(metrics["groups"]["few"]["f1"]) == {"crime", "fantasy"}
    assert set(metrics["groups"]["no"]["f1"]) == {"history"}
    # With one genre, precision is 1 and recall is the accuracy.
    accuracy = metrics["groups"]["no"]["accuracy"]
    assert 0 < accuracy <= 1
    assert metrics["groups"]["no"]["macro_f1"] == pytest.approx(2 * accuracy / (1 + accuracy))
