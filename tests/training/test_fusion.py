from pathlib import Path

import keras
import numpy as np
import pytest

from training.fusion import Fusion, cross_fitted, fit_fusion, fused_model

RANDOM = np.random.default_rng(7)
LABELS = RANDOM.integers(0, 3, 600)
GOOD = RANDOM.normal(size=(600, 3)) + 1.5 * np.eye(3)[LABELS]
OTHER = RANDOM.normal(size=(600, 3)) + 1.5 * np.eye(3)[LABELS]
NOISE = RANDOM.normal(size=(600, 3))


def _right(logits: np.ndarray) -> float:
    return float((logits.argmax(axis=1) == LABELS).mean())


def test_members_that_err_differently_are_better_together() -> None:
    scores = np.stack([GOOD, OTHER])
    logits = cross_fitted(scores, LABELS, np.arange(600) % 5, 0.0)
    assert _right(logits) > max(_right(GOOD), _right(OTHER)) + 0.03


def test_noise_gets_no_weight() -> None:
    fusion = fit_fusion(np.stack([GOOD, NOISE]), LABELS, 0.0)
    assert fusion.weights[0] > 0.5
    assert fusion.weights[1] < 0.1


def test_the_tilt_favours_rare_labels() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    scores = RANDOM.normal(size=(1, 100, 2))
    assert fit_fusion(scores, labels, 0.0).bias == (0.0, 0.0)
    bias = fit_fusion(scores, labels, 1.0).bias
    assert bias[1] - bias[0] == pytest.approx(np.log(9))


def test_a_fusion_survives_its_file(tmp_path: Path) -> None:
    fusion = fit_fusion(np.stack([GOOD, OTHER]), LABELS, 0.3)
    fusion.save(tmp_path)
    assert Fusion.load(tmp_path) == fusion


def test_the_graph_adds_up_as_the_fusion_does() -> None:
    def member(seed: int) -> keras.Model:
        tokens = keras.Input((None,), dtype="int32")
        vectors = keras.layers.Embedding(
            9, 3, embeddings_initializer=keras.initializers.RandomNormal(seed=seed)
        )(tokens)
        return keras.Model(tokens, keras.layers.GlobalAveragePooling1D()(vectors))

    members = [member(1), member(2)]
    fusion = Fusion(weights=(0.5, 2.0), bias=(0.1, 0.2, 0.3))
    tokens = np.array([[3, 4, 5], [6, 7, 8]], np.int32)
    scores = np.stack([keras.ops.convert_to_numpy(m(tokens)) for m in members])
    assert np.allclose(fused_model(members, fusion)(tokens), fusion(scores), atol=1e-6)
