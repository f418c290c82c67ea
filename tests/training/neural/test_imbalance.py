import keras
import numpy as np
import pytest

from training.neural.imbalance import FocalLoss, balanced_sample, class_weights

LABELS = np.array([0] * 90 + [1] * 10)


def test_weights_average_one_over_the_rows() -> None:
    for power in (0.0, 0.5, 1.0):
        assert class_weights(LABELS, 2, power)[LABELS].mean() == pytest.approx(1.0)


def test_full_power_weights_classes_equally() -> None:
    weights = class_weights(LABELS, 2, 1.0)
    assert weights[0] * 90 == pytest.approx(weights[1] * 10)
    assert class_weights(LABELS, 2, 0.0).tolist() == [1.0, 1.0]


def test_a_class_without_rows_has_weight_zero() -> None:
    assert class_weights(LABELS, 3, 0.5)[2] == 0.0


def test_a_balanced_sample_draws_rare_labels_as_often() -> None:
    drawn = LABELS[balanced_sample(LABELS, np.random.default_rng(7))]
    assert 35 <= (drawn == 1).sum() <= 65


def test_focal_loss_without_gamma_is_cross_entropy() -> None:
    targets = np.eye(3, dtype=np.float32)
    logits = np.random.default_rng(7).normal(size=(3, 3)).astype(np.float32)
    plain = keras.losses.CategoricalCrossentropy(from_logits=True)(targets, logits)
    assert float(FocalLoss(0.0)(targets, logits)) == pytest.approx(float(plain), abs=1e-6)


def test_focal_loss_reduces_the_loss_of_easy_rows() -> None:
    target = np.array([[1.0, 0.0]], np.float32)
    easy, hard = np.array([[3.0, 0.0]], np.float32), np.array([[-3.0, 0.0]], np.float32)
    plain, focal = FocalLoss(0.0), FocalLoss(2.0)
    assert float(focal(target, easy)) / float(plain(target, easy)) < 0.01
    assert float(focal(target, hard)) / float(plain(target, hard)) > 0.8
