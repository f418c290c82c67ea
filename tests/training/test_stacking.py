import numpy as np

from training.ensemble.stacking import cross_fitted, fit_weights

RANDOM = np.random.default_rng(7)
LABELS = RANDOM.integers(0, 3, 600)
GOOD = RANDOM.normal(size=(600, 3)) + 1.5 * np.eye(3)[LABELS]
OTHER = RANDOM.normal(size=(600, 3)) + 1.5 * np.eye(3)[LABELS]
NOISE = RANDOM.normal(size=(600, 3))


def _right(logits: np.ndarray) -> float:
    return float((logits.argmax(axis=1) == LABELS).mean())


def test_scorers_that_err_differently_are_better_together() -> None:
    logits = cross_fitted(np.stack([GOOD, OTHER]), LABELS, np.arange(600) % 5)
    assert _right(logits) > max(_right(GOOD), _right(OTHER)) + 0.03


def test_noise_gets_no_weight() -> None:
    weights = fit_weights(np.stack([GOOD, NOISE]), LABELS)
    assert weights[0] > 0.5
    assert weights[1] < 0.1


def test_a_scorer_that_is_wrong_on_purpose_is_silenced_and_not_turned_round() -> None:
    assert fit_weights(np.stack([GOOD, -GOOD]), LABELS)[1] == 0.0
