import keras
import numpy as np
import pytest

from tests.training.conftest import make_rows
from training.batches import pad, predict_logits
from training.config import ModelConfig, TrainingConfig
from training.data import Labelled
from training.models import build_model
from training.models.shape import Shape
from training.models.tfidf_layers import TfIdf
from training.prepare import Prepared
from training.solve import SOLVERS, gather, support_rows
from training.tfidf import counts, inverse_document_frequency, tfidf
from training.vectoriser import RESERVED, build_vocabulary, encode

NAMES = ("crime", "fantasy", "travel")
ROWS = make_rows(120)
TEXTS = tuple(row["summary"] for row in ROWS)
LABELS = np.array([NAMES.index(row["genre"]) for row in ROWS])
LEARN = Labelled(texts=TEXTS[:90], labels=LABELS[:90])
VOCABULARY = build_vocabulary(TEXTS[:90], size=100, min_count=1)
ENCODED = encode(TEXTS, VOCABULARY, None)
COUNTED = counts(ENCODED, len(VOCABULARY) + RESERVED)
IDF = inverse_document_frequency(COUNTED)


def _prepared() -> Prepared:
    vectors = np.random.default_rng(7).normal(size=(len(VOCABULARY) + 2, 16)).astype(np.float32)
    return Prepared(vocabulary=VOCABULARY, vectors=vectors, idf=IDF, trusted=Labelled.nothing())


def _model(name: str, learn: Labelled, classes: int, config: TrainingConfig) -> keras.Model:
    rows = gather(learn, _prepared(), 0.0)
    model = build_model(
        Shape(
            architecture=name,
            tokens=len(VOCABULARY) + 2,
            dimensions=16,
            classes=classes,
            max_tokens=10,
            settings=ModelConfig(),
            seed=7,
            support_rows=len(support_rows(rows, config.kernel.support_rows, seed=7)),
        )
    )
    SOLVERS[name](model, rows, _prepared(), classes, config)
    return model


def test_the_graphs_tfidf_equals_the_solvers() -> None:
    layer = TfIdf(len(VOCABULARY) + RESERVED)
    layer.build((None, None))
    layer.set_weights([IDF])
    inside = keras.ops.convert_to_numpy(layer(pad(ENCODED)))
    assert np.allclose(inside, tfidf(COUNTED, IDF).toarray(), atol=1e-6)


def test_unknown_words_and_padding_weigh_nothing() -> None:
    layer = TfIdf(5)
    found = keras.ops.convert_to_numpy(layer(np.array([[1, 1, 0, 0], [1, 3, 3, 0]], np.int32)))
    assert found.tolist() == [[0, 0, 0, 0, 0], [0, 0, 0, 1, 0]]


@pytest.mark.parametrize("name", sorted(SOLVERS))
def test_a_solved_model_labels_rows_it_has_not_seen(name: str) -> None:
    model = _model(name, LEARN, 3, TrainingConfig())
    found = predict_logits(model, ENCODED[90:]).argmax(axis=1)
    assert (found == LABELS[90:]).mean() > 0.9


@pytest.mark.parametrize("name", sorted(SOLVERS))
def test_two_labels_are_enough(name: str) -> None:
    rows = LABELS[:90] < 2
    model = _model(name, LEARN.select(rows), 2, TrainingConfig())
    asked = LABELS[90:] < 2
    encoded = [row for row, wanted in zip(ENCODED[90:], asked, strict=True) if wanted]
    assert (predict_logits(model, encoded).argmax(axis=1) == LABELS[90:][asked]).mean() > 0.9


@pytest.mark.parametrize("name", sorted(SOLVERS))
def test_a_label_without_learning_rows_is_never_chosen(name: str) -> None:
    model = _model(name, LEARN, 4, TrainingConfig())
    assert (predict_logits(model, ENCODED).argmax(axis=1) < 3).all()


def test_a_kernel_keeps_no_more_rows_than_allowed() -> None:
    config = TrainingConfig.model_validate({"kernel": {"support_rows": 30}})
    model = _model("kernel", LEARN, 3, config)
    assert model.get_layer("support").support.shape == (30, 16)
    found = predict_logits(model, ENCODED[90:]).argmax(axis=1)
    assert (found == LABELS[90:]).mean() > 0.8
