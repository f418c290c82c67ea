from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.conftest import make_rows
from training.config import LinearModelsConfig
from training.ensemble.linear_models import (
    LabelledFeatures,
    LinearModels,
    fit_linear_models,
    select_confident,
)
from training.features.char_ngrams import char_ngram_features, char_ngram_matrix
from training.features.tfidf import inverse_document_frequency, tfidf, token_counts
from training.features.vectoriser import RESERVED, build_vocabulary, encode
from training.neural.batches import pad
from training.neural.layers import WordVectors
from training.neural.linear_graph import SparseTfidf, build_linear_model

NAMES = ("crime", "fantasy", "travel")
ROWS = make_rows(150)
TEXTS = [row["summary"] for row in ROWS]
LABELS = np.array([NAMES.index(row["genre"]) for row in ROWS])
VOCABULARY = build_vocabulary(TEXTS, size=100, min_count=1)
ENCODED = encode(TEXTS, VOCABULARY, None)
TOKENS = len(VOCABULARY) + RESERVED
IDF = inverse_document_frequency(token_counts(ENCODED, TOKENS))
FEATURES = tfidf(token_counts(ENCODED, TOKENS), IDF)
VECTORS = np.random.default_rng(7).normal(size=(TOKENS, 16)).astype(np.float16).astype(np.float32)
VECTORS[:RESERVED] = 0.0
CHAR_NGRAMS = char_ngram_matrix(VOCABULARY, IDF)
NONE = LabelledFeatures(features=FEATURES[:0], labels=LABELS[:0])
CONFIG = LinearModelsConfig()


def _rows(chosen: np.ndarray | slice) -> LabelledFeatures:
    return LabelledFeatures(features=FEATURES[chosen], labels=LABELS[chosen])


def _fit(data: LabelledFeatures, extra: LabelledFeatures = NONE, classes: int = 3) -> LinearModels:
    return fit_linear_models(data, extra, VECTORS, CHAR_NGRAMS, classes, CONFIG)


def test_every_member_labels_rows_it_was_not_trained_on() -> None:
    models = _fit(_rows(slice(0, 60)), _rows(slice(60, 90)))
    assert set(models.members) == {
        "word_svm",
        "word_svm_extra",
        "char_svm",
        "kernel_ridge",
        "rbf_svm",
    }
    predicted = models.scores(FEATURES[90:], VECTORS).argmax(axis=2)
    for name, labels in zip(models.members, predicted, strict=True):
        assert (labels == LABELS[90:]).mean() > 0.85, name


def test_two_labels_are_enough() -> None:
    chosen = np.flatnonzero(LABELS < 2)
    models = _fit(_rows(chosen[:60]), classes=2)
    predicted = models.scores(FEATURES[chosen[60:]], VECTORS).mean(axis=0).argmax(axis=1)
    assert (predicted == LABELS[chosen[60:]]).mean() > 0.85


def test_a_label_without_training_rows_is_never_predicted() -> None:
    models = _fit(_rows(slice(0, 60)), classes=4)
    assert (models.scores(FEATURES, VECTORS).mean(axis=0).argmax(axis=1) < 3).all()


def _graph_scores(models: LinearModels, weights: np.ndarray) -> tuple[keras.Model, np.ndarray]:
    """The collapsed models in the graph, and their scores."""
    words = WordVectors(TOKENS, 16)
    words.build(None)
    words.set_weights([VECTORS, np.ones(TOKENS)])
    model = build_linear_model(models.collapse(weights), IDF, words)
    return model, np.asarray(model(pad(ENCODED)))


def test_the_collapsed_model_has_the_weighted_sum_of_the_scores() -> None:
    models = _fit(_rows(slice(0, 60)), _rows(slice(60, 90)))
    weights = np.array([0.5, 2.0, 1.0, 0.0, 3.0])
    expected = np.tensordot(weights, models.scores(FEATURES, VECTORS), axes=1)
    assert np.allclose(models.collapse(weights).scores(FEATURES, VECTORS)[0], expected, atol=1e-9)


def test_the_graph_scores_as_the_linear_models_do() -> None:
    models = _fit(_rows(slice(0, 60)))
    _, scores = _graph_scores(models, np.ones(len(models.members)))
    assert np.allclose(scores, models.scores(FEATURES, VECTORS).sum(axis=0), atol=1e-4)


def test_centres_that_only_members_of_weight_zero_use_are_not_in_the_graph() -> None:
    models = _fit(_rows(slice(0, 60)))
    names = list(models.members)
    weights = np.array([0.0 if name == "kernel_ridge" else 1.0 for name in names])
    model, scores = _graph_scores(models, weights)
    support = models.members["rbf_svm"].dual_coefficients.any(axis=1).sum()
    (centres,) = [w.shape[0] for w in model.weights if w.path.endswith("centres")]
    assert centres == support < len(models.centres)
    expected = np.tensordot(weights, models.scores(FEATURES, VECTORS), axes=1)
    assert np.allclose(scores, expected, atol=1e-4)


def test_without_kernel_members_the_graph_has_no_kernel() -> None:
    models = _fit(_rows(slice(0, 60)))
    weights = np.array([float(name in ("word_svm", "char_svm")) for name in models.members])
    model, scores = _graph_scores(models, weights)
    assert not {w.path.rpartition("/")[2] for w in model.weights} & {
        "dual_coefficients",
        "mean_vector",
        "centres",
    }
    expected = np.tensordot(weights, models.scores(FEATURES, VECTORS), axes=1)
    assert np.allclose(scores, expected, atol=1e-4)


def test_tfidf_in_the_graph_equals_tfidf_in_training() -> None:
    layer = SparseTfidf(TOKENS)
    layer.build((None, None))
    layer.set_weights([IDF])
    row, word, value = (np.asarray(part) for part in layer(pad(ENCODED)))
    dense = np.zeros((len(TEXTS), TOKENS), np.float32)
    dense[row, word] = value
    assert np.allclose(dense, FEATURES.toarray(), atol=1e-6)


def test_a_text_of_unknown_words_gets_finite_scores() -> None:
    models = _fit(_rows(slice(0, 60)))
    unknown = tfidf(token_counts([np.array([1, 1], np.int32)], TOKENS), IDF)
    assert np.isfinite(models.scores(unknown, VECTORS)).all()


def test_linear_models_are_saved_and_loaded(tmp_path: Path) -> None:
    models = _fit(_rows(slice(0, 60)))
    models.save(tmp_path / "models.npz")
    loaded = LinearModels.load(tmp_path / "models.npz")
    assert list(loaded.members) == list(models.members)
    assert np.allclose(
        loaded.scores(FEATURES, VECTORS), models.scores(FEATURES, VECTORS), atol=1e-4
    )


def _selected(extra: LabelledFeatures, config: LinearModelsConfig = CONFIG) -> np.ndarray:
    return select_confident(_rows(slice(0, 60)), extra, VECTORS, CHAR_NGRAMS, 3, config)


def test_rows_whose_tag_agrees_with_the_models_are_selected() -> None:
    assert len(_selected(_rows(slice(60, 150)))) > 70


def test_rows_whose_tag_disagrees_with_the_models_are_not() -> None:
    wrong = LabelledFeatures(features=FEATURES[60:], labels=(LABELS[60:] + 1) % 3)
    assert len(_selected(wrong)) < 15


def test_untagged_rows_are_never_selected() -> None:
    untagged = LabelledFeatures(features=FEATURES[60:], labels=np.full(90, -1))
    assert len(_selected(untagged)) == 0


def test_no_label_gets_more_selected_rows_than_the_limit() -> None:
    chosen = _selected(_rows(slice(60, 150)), LinearModelsConfig(max_extra_rows_per_class=3))
    assert np.bincount(LABELS[60:][chosen]).tolist() == [3, 3, 3]


def test_similarly_spelled_words_have_similar_features() -> None:
    matrix = char_ngram_matrix(["starship", "starships", "castle"], np.ones(5, np.float32))
    cosines = (matrix @ matrix.T).toarray()
    assert cosines[2, 3] > 0.6
    assert cosines[2, 4] < 0.3


def test_weights_on_character_ngrams_convert_to_weights_on_words() -> None:
    chars = char_ngram_features(FEATURES, CHAR_NGRAMS)
    coefficients = np.random.default_rng(7).normal(size=(CHAR_NGRAMS.shape[1], 3))
    assert np.allclose(
        chars.features @ coefficients, FEATURES @ chars.to_word_weights(coefficients)
    )


@pytest.mark.parametrize("text", ["", "qqq zzz"])
def test_an_empty_row_stays_zero(text: str) -> None:
    features = tfidf(token_counts(encode([text], VOCABULARY, None), TOKENS), IDF)
    assert features.nnz == 0
