import numpy as np
import pytest

from training.batches import pad
from training.config import ModelConfig
from training.errors import TrainingError
from training.models import ARCHITECTURES, build_model
from training.models.shape import Shape


def _shape(architecture: str) -> Shape:
    return Shape(
        architecture=architecture,
        tokens=50,
        dimensions=6,
        classes=3,
        max_tokens=8,
        settings=ModelConfig(units=4, hidden=5, heads=2),
        seed=7,
        support_rows=7,
    )


# Embedding 50 x 6 = 300; the classifier is (features + 1) x 5 + (5 + 1) x 3.
PARAMETERS = {
    "lstm": 300 + 4 * 4 * (6 + 4 + 1) + 5 * 5 + 18,
    "gru": 300 + 3 * 4 * (6 + 4 + 2) + 5 * 5 + 18,
    "bilstm_attention": 300 + 2 * 4 * 4 * (6 + 4 + 1) + (8 * 4 + 4 + 4) + (24 + 1) * 5 + 18,
    "transformer": 300
    + (6 + 1) * 8
    + 2 * (8 + 8)
    + 4 * (8 + 1) * 8
    + (8 + 1) * 16
    + (16 + 1) * 8
    + (16 + 1) * 5
    + 18,
    # idf, then a weight per word and label
    "wide": 50 + 50 * 3 + 3,
    # idf, word vectors and their mean, support rows, a weight per support row and label
    "kernel": 50 + 300 + 6 + 7 * 6 + 7 * 3,
}
SEQUENCES = ("bilstm_attention", "gru", "lstm", "transformer")


def test_every_architecture_has_the_parameters_it_should() -> None:
    counted = {name: build_model(_shape(name)).count_params() for name in ARCHITECTURES}
    assert counted == PARAMETERS


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_padding_does_not_change_an_answer(name: str) -> None:
    model = build_model(_shape(name))
    row = np.array([[4, 9, 2]], np.int32)
    padded = np.array([[4, 9, 2, 0, 0, 0]], np.int32)
    assert np.allclose(model(row), model(padded), atol=1e-6)


@pytest.mark.parametrize("name", SEQUENCES)
def test_tokens_behind_the_limit_are_not_read(name: str) -> None:
    model = build_model(_shape(name))
    row = np.arange(2, 12, dtype=np.int32)[None, :]
    assert np.allclose(model(row), model(row[:, :8]), atol=1e-6)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_a_row_without_tokens_gets_finite_logits(name: str) -> None:
    logits = np.asarray(build_model(_shape(name))(pad([np.zeros(0, np.int32)])))
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("name", SEQUENCES)
def test_the_order_of_words_matters_to_sequence_models(name: str) -> None:
    model = build_model(_shape(name))
    row = np.array([[4, 9, 2, 7]], np.int32)
    assert not np.allclose(model(row), model(row[:, ::-1]), atol=1e-7)


def test_an_unknown_architecture_is_named_with_the_known_ones() -> None:
    with pytest.raises(TrainingError, match="'lstn', which is unknown; choose from bilstm_att"):
        build_model(_shape("lstn"))
