import keras
import numpy as np
import pytest

from training.config import ModelConfig
from training.errors import TrainingError
from training.neural.architectures import ARCHITECTURES, build_model
from training.neural.architectures.inputs_and_head import ModelShape
from training.neural.batches import pad
from training.neural.layers import WordVectors


def _model(architecture: str) -> keras.Model:
    # Without a seed, the few hidden units are sometimes inactive for all inputs of a test.
    keras.utils.set_random_seed(7)
    shape = ModelShape(
        architecture=architecture,
        tokens=50,
        dimensions=6,
        classes=3,
        max_tokens=8,
        settings=ModelConfig(units=4, hidden=5, heads=2),
        seed=7,
    )
    words = WordVectors(50, 6)
    model = build_model(shape, words)
    words.set_weights([np.random.default_rng(7).normal(size=(50, 6)), np.ones(50)])
    return model


# Word vectors 50 x 6 and their 50 lengths; the classifier is (features + 1) x 5 + (5 + 1) x 3.
PARAMETERS = {
    "lstm": 350 + 4 * 4 * (6 + 4 + 1) + 5 * 5 + 18,
    "gru": 350 + 3 * 4 * (6 + 4 + 2) + 5 * 5 + 18,
    "bilstm_attention": 350 + 2 * 4 * 4 * (6 + 4 + 1) + (8 * 4 + 4 + 4) + (24 + 1) * 5 + 18,
    "transformer": 350
    + (6 + 1) * 8
    + 2 * (8 + 8)
    + 4 * (8 + 1) * 8
    + (8 + 1) * 16
    + (16 + 1) * 8
    + (16 + 1) * 5
    + 18,
}


def test_every_architecture_has_the_expected_number_of_parameters() -> None:
    assert {name: _model(name).count_params() for name in ARCHITECTURES} == PARAMETERS


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_padding_does_not_change_the_scores(name: str) -> None:
    model = _model(name)
    row = np.array([[4, 9, 2]], np.int32)
    padded = np.array([[4, 9, 2, 0, 0, 0]], np.int32)
    assert np.allclose(model(row), model(padded), atol=1e-6)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_tokens_after_the_limit_are_ignored(name: str) -> None:
    model = _model(name)
    row = np.arange(2, 12, dtype=np.int32)[None, :]
    assert np.allclose(model(row), model(row[:, :8]), atol=1e-6)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_a_row_without_tokens_gets_finite_scores(name: str) -> None:
    assert np.isfinite(np.asarray(_model(name)(pad([np.zeros(0, np.int32)])))).all()


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_the_order_of_words_matters(name: str) -> None:
    model = _model(name)
    row = np.array([[4, 9, 2, 7]], np.int32)
    assert not np.allclose(model(row), model(row[:, ::-1]), atol=1e-7)


def test_word_vectors_are_not_trained() -> None:
    assert all("word_vectors" not in w.path for w in _model("gru").trainable_weights)


def test_an_unknown_architecture_is_named_with_the_known_ones() -> None:
    with pytest.raises(TrainingError, match="'lstn', which is unknown; choose one of bilstm_att"):
        _model("lstn")
