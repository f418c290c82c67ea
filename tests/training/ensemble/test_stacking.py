import numpy as np

from training.ensemble.stacking import cross_fitted_logits, fit_weights

RANDOM = np.random.default_rng(7)
LABELS = RANDOM.integers(0, 3, 600)
GOOD = RANDOM.normal(size=(600, 3)) + 1.5 * np.eye(3)[LABELS]
OTHER = RANDOM.normal(size=(600, 3)) + 1.5 * np.eye(3)[LABELS]
NOISE = RANDOM.normal(size=(600, 3))


def _accuracy(logits: np.ndarray) -> float:
    return float((logits.argmax(axis=1) == LABELS).mean())


def test_models_with_different_errors_are_better_together() -> None:
    logits = cross_fitted_logits(np.stack([GOOD, OTHER]), LABELS, np.arange(600) % 5)
    assert _accuracy(logits) > max(_accuracy(GOOD), _accuracy(OTHER)) + 0.03


def test_noise_gets_no_weight() -> None:
    weights = fit_weights(np.stack([GOOD, NOISE]), LABELS)
    assert weights[0] > 0.5
    assert weights[1] < 0.1


def test_a_model_worse_than_chance_gets_weight_zero_and_not_a_negative_one() -> None:
    assert fit_weights(np.stack([GOOD, -GOOD]), LABELS)[1] == 0.0
