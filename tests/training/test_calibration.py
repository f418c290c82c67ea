import numpy as np
import pytest

from training.calibration import (
    REVIEW_ALL,
    calibrated,
    calibration_error,
    fit_calibration,
    fit_quantile,
    fit_temperature,
    fit_threshold,
    genre_sets,
    reliability,
)
from training.config import CalibrationConfig

RANDOM = np.random.default_rng(7)


def _honest(count: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax is the chance with which their label was drawn."""
    logits = RANDOM.normal(0.0, 2.0, (count, 4))
    chances = calibrated(logits, 1.0)
    labels = (RANDOM.uniform(size=(count, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    return logits, np.minimum(labels, 3)


def test_the_temperature_undoes_overconfidence() -> None:
    logits, labels = _honest()
    assert fit_temperature(3.0 * logits, labels) == pytest.approx(3.0, rel=0.08)


def test_calibration_lowers_the_error() -> None:
    logits, labels = _honest()
    before = calibration_error(calibrated(3.0 * logits, 1.0), labels, 15)
    after = calibration_error(
        calibrated(3.0 * logits, fit_temperature(3.0 * logits, labels)), labels, 15
    )
    assert before > 0.1
    assert after < 0.03


def test_the_error_is_the_mean_gap_between_confidence_and_accuracy() -> None:
    chances = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    labels = np.array([0, 0, 0, 1])
    assert calibration_error(chances, labels, 10) == pytest.approx(0.5 * 0.1 + 0.5 * 0.1)
    assert [row.rows for row in reliability(chances, labels, 10)] == [2, 2]


def test_rows_above_the_threshold_are_right_as_often_as_promised() -> None:
    logits, labels = _honest()
    chances = calibrated(logits, 1.0)
    threshold = fit_threshold(chances, labels, 0.95)
    alone = chances.max(axis=1) >= threshold
    assert alone.any()
    assert (chances.argmax(axis=1) == labels)[alone].mean() >= 0.95


def test_a_model_that_guesses_leaves_no_row_alone() -> None:
    chances = calibrated(RANDOM.normal(size=(500, 4)), 1.0)
    assert fit_threshold(chances, RANDOM.integers(0, 4, 500), 0.95) == REVIEW_ALL


def test_genre_sets_cover_fresh_rows() -> None:
    logits, labels = _honest()
    chances = calibrated(logits, 1.0)
    inside = genre_sets(chances[3000:], fit_quantile(chances[:3000], labels[:3000], 0.9))
    assert inside[np.arange(3000), labels[3000:]].mean() == pytest.approx(0.9, abs=0.02)


def test_a_genre_set_is_never_empty() -> None:
    assert genre_sets(np.array([[0.4, 0.3, 0.3]]), 0.1).tolist() == [[True, False, False]]


def test_too_few_rows_for_a_coverage_put_every_genre_in_the_set() -> None:
    chances = np.array([[0.9, 0.1]])
    assert fit_quantile(chances, np.array([0]), 0.9) == 1.0


def test_all_parts_are_fitted_together() -> None:
    logits, labels = _honest()
    fitted = fit_calibration(logits, labels, CalibrationConfig())
    assert fitted.temperature == pytest.approx(1.0, rel=0.1)
    assert 0.5 < fitted.review_threshold < 1.0
    assert 0.0 < fitted.quantile < 1.0
