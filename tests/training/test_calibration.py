import numpy as np
import pytest
from scipy.special import softmax  # type: ignore[import-untyped]  # scipy ships none

from training.config import CalibrationConfig
from training.evaluation.calibration import (
    REVIEW_ALL,
    calibration_error,
    fit_calibration,
    fit_quantile,
    fit_temperature_and_noise,
    fit_threshold,
    genre_sets,
    reliability,
)

RANDOM = np.random.default_rng(7)
CONFIG = CalibrationConfig()


def _honest(count: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax is the chance with which their label was drawn."""
    logits = RANDOM.normal(0.0, 2.0, (count, 4))
    chances = softmax(logits, axis=1)
    labels = (RANDOM.uniform(size=(count, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    return logits, np.minimum(labels, 3)


def test_the_temperature_undoes_overconfidence() -> None:
    logits, labels = _honest()
    temperature, noise = fit_temperature_and_noise(3.0 * logits, labels, np.full(4, 0.25))
    assert temperature == pytest.approx(3.0, rel=0.08)
    assert noise.max() < 0.02


def test_calibration_lowers_the_error_on_fresh_rows() -> None:
    logits, labels = _honest()
    logits = 3.0 * logits
    fitted = fit_calibration(logits[:3000], labels[:3000], CONFIG)
    before = calibration_error(softmax(logits[3000:], axis=1), labels[3000:], 15)
    after = calibration_error(fitted(logits[3000:]), labels[3000:], 15)
    assert before > 0.1
    assert after < 0.04


def test_label_noise_is_found_and_takes_the_top_off() -> None:
    logits, labels = _honest()
    noisy = np.where(RANDOM.uniform(size=len(labels)) < 0.2, RANDOM.integers(0, 4, 6000), labels)
    temperature, noise = fit_temperature_and_noise(logits, noisy, np.full(4, 0.25))
    assert temperature == pytest.approx(1.0, rel=0.1)
    assert noise == pytest.approx(np.full(4, 0.2), abs=0.05)
    sure = fit_calibration(logits, noisy, CONFIG)(np.array([[20.0, 0.0, 0.0, 0.0]]))
    assert 0.8 < sure.max() < 0.9
    assert sure.sum() == pytest.approx(1.0)


def test_a_label_that_is_given_more_loosely_has_more_noise_and_less_confidence() -> None:
    logits, labels = _honest()
    loose = (labels == 2) & (RANDOM.uniform(size=len(labels)) < 0.3)
    noisy = np.where(loose, RANDOM.integers(0, 4, len(labels)), labels)
    _, noise = fit_temperature_and_noise(logits, noisy, np.full(4, 0.25))
    assert noise.argmax() == 2
    assert noise[2] == pytest.approx(0.3, abs=0.06)
    sure = fit_calibration(logits, noisy, CONFIG)(20.0 * np.eye(4))
    assert sure.max(axis=1).argmin() == 2


def test_the_error_is_the_mean_gap_between_confidence_and_accuracy() -> None:
    chances = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    labels = np.array([0, 0, 0, 1])
    assert calibration_error(chances, labels, 10) == pytest.approx(0.5 * 0.1 + 0.5 * 0.1)
    assert [row.rows for row in reliability(chances, labels, 10)] == [2, 2]


def test_fresh_rows_above_the_threshold_are_right_as_often_as_promised() -> None:
    logits, labels = _honest()
    chances = softmax(logits, axis=1)
    right = chances.argmax(axis=1) == labels
    threshold = fit_threshold(chances[:3000], labels[:3000], 0.95)
    alone = chances.max(axis=1)[3000:] >= threshold
    assert alone.mean() > 0.1
    assert 0.945 < right[3000:][alone].mean() < 0.975


def test_the_threshold_of_few_rows_does_not_promise_what_luck_brought() -> None:
    precisions = []
    for _ in range(40):
        logits, labels = _honest(200)
        threshold = fit_threshold(softmax(logits, axis=1), labels, 0.95)
        fresh, fresh_labels = _honest(2000)
        chances = softmax(fresh, axis=1)
        alone = chances.max(axis=1) >= threshold
        if alone.any():
            precisions.append((chances.argmax(axis=1) == fresh_labels)[alone].mean())
    assert len(precisions) > 20
    assert 0.945 < np.mean(precisions) < 0.98


def test_a_model_that_guesses_leaves_no_row_alone() -> None:
    chances = softmax(RANDOM.normal(size=(500, 4)), axis=1)
    assert fit_threshold(chances, RANDOM.integers(0, 4, 500), 0.95) == REVIEW_ALL


def test_genre_sets_cover_fresh_rows() -> None:
    logits, labels = _honest()
    chances = softmax(logits, axis=1)
    inside = genre_sets(chances[3000:], fit_quantile(chances[:3000], labels[:3000], 0.9))
    assert inside[np.arange(3000), labels[3000:]].mean() == pytest.approx(0.9, abs=0.02)


def test_a_genre_set_is_never_empty() -> None:
    assert genre_sets(np.array([[0.4, 0.3, 0.3]]), 0.1).tolist() == [[True, False, False]]


def test_too_few_rows_for_a_coverage_put_every_genre_in_the_set() -> None:
    assert fit_quantile(np.array([[0.9, 0.1]]), np.array([0]), 0.9) == 1.0
