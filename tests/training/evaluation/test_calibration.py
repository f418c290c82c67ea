import numpy as np
import pytest
from scipy.special import softmax  # type: ignore[import-untyped]  # scipy ships none

from training.config import CalibrationConfig
from training.evaluation.calibration import (
    REVIEW_ALL,
    calibration_error,
    conformal_sets,
    fit_calibration,
    fit_quantile,
    fit_temperature_and_label_noise,
    fit_threshold,
    reliability_bins,
)

RANDOM = np.random.default_rng(7)
CONFIG = CalibrationConfig()


def _calibrated_logits(count: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax is the distribution from which their label was drawn."""
    logits = RANDOM.normal(0.0, 2.0, (count, 4))
    probabilities = softmax(logits, axis=1)
    labels = (RANDOM.uniform(size=(count, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    return logits, np.minimum(labels, 3)


def test_the_temperature_corrects_overconfidence() -> None:
    logits, labels = _calibrated_logits()
    temperature, noise = fit_temperature_and_label_noise(3.0 * logits, labels, np.full(4, 0.25))
    assert temperature == pytest.approx(3.0, rel=0.08)
    assert noise.max() < 0.02


def test_calibration_lowers_the_error_on_new_rows() -> None:
    logits, labels = _calibrated_logits()
    logits = 3.0 * logits
    fitted = fit_calibration(logits[:3000], labels[:3000], CONFIG)
    before = calibration_error(softmax(logits[3000:], axis=1), labels[3000:], 15)
    after = calibration_error(fitted(logits[3000:]), labels[3000:], 15)
    assert before > 0.1
    assert after < 0.04


def test_label_noise_is_estimated_and_limits_confidence() -> None:
    logits, labels = _calibrated_logits()
    noisy = np.where(RANDOM.uniform(size=len(labels)) < 0.2, RANDOM.integers(0, 4, 6000), labels)
    temperature, noise = fit_temperature_and_label_noise(logits, noisy, np.full(4, 0.25))
    assert temperature == pytest.approx(1.0, rel=0.1)
    assert noise == pytest.approx(np.full(4, 0.2), abs=0.05)
    confident = fit_calibration(logits, noisy, CONFIG)(np.array([[20.0, 0.0, 0.0, 0.0]]))
    assert 0.8 < confident.max() < 0.9
    assert confident.sum() == pytest.approx(1.0)


def test_a_label_with_more_noise_has_less_confidence() -> None:
    logits, labels = _calibrated_logits()
    is_random = (labels == 2) & (RANDOM.uniform(size=len(labels)) < 0.3)
    noisy = np.where(is_random, RANDOM.integers(0, 4, len(labels)), labels)
    _, noise = fit_temperature_and_label_noise(logits, noisy, np.full(4, 0.25))
    assert noise.argmax() == 2
    assert noise[2] == pytest.approx(0.3, abs=0.06)
    confident = fit_calibration(logits, noisy, CONFIG)(20.0 * np.eye(4))
    assert confident.max(axis=1).argmin() == 2


def test_the_error_is_the_mean_gap_between_confidence_and_accuracy() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    labels = np.array([0, 0, 0, 1])
    assert calibration_error(probabilities, labels, 10) == pytest.approx(0.5 * 0.1 + 0.5 * 0.1)
    assert [row.rows for row in reliability_bins(probabilities, labels, 10)] == [2, 2]


def test_new_rows_above_the_threshold_have_the_target_precision() -> None:
    logits, labels = _calibrated_logits()
    probabilities = softmax(logits, axis=1)
    correct = probabilities.argmax(axis=1) == labels
    threshold = fit_threshold(probabilities[:3000], labels[:3000], 0.95)
    accepted = probabilities.max(axis=1)[3000:] >= threshold
    assert accepted.mean() > 0.1
    assert 0.945 < correct[3000:][accepted].mean() < 0.975


def test_the_threshold_of_few_rows_is_not_too_optimistic() -> None:
    precisions = []
    for _ in range(40):
        logits, labels = _calibrated_logits(200)
        threshold = fit_threshold(softmax(logits, axis=1), labels, 0.95)
        new, new_labels = _calibrated_logits(2000)
        probabilities = softmax(new, axis=1)
        accepted = probabilities.max(axis=1) >= threshold
        if accepted.any():
            precisions.append((probabilities.argmax(axis=1) == new_labels)[accepted].mean())
    assert len(precisions) > 20
    assert 0.945 < np.mean(precisions) < 0.98


def test_every_row_of_a_random_model_needs_review() -> None:
    probabilities = softmax(RANDOM.normal(size=(500, 4)), axis=1)
    assert fit_threshold(probabilities, RANDOM.integers(0, 4, 500), 0.95) == REVIEW_ALL


def test_genre_sets_cover_new_rows() -> None:
    logits, labels = _calibrated_logits()
    probabilities = softmax(logits, axis=1)
    inside = conformal_sets(
        probabilities[3000:], fit_quantile(probabilities[:3000], labels[:3000], 0.9)
    )
    assert inside[np.arange(3000), labels[3000:]].mean() == pytest.approx(0.9, abs=0.02)


def test_a_genre_set_is_never_empty() -> None:
    assert conformal_sets(np.array([[0.4, 0.3, 0.3]]), 0.1).tolist() == [[True, False, False]]


def test_with_too_few_rows_the_set_contains_every_genre() -> None:
    assert fit_quantile(np.array([[0.9, 0.1]]), np.array([0]), 0.9) == 1.0
