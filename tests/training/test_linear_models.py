from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.conftest import make_rows
from training.config import LinearModelsConfig
from training.ensemble.linear_models import (
    LinearModels,
    Rows,
    fit_linear_models,
    select_confident,
)
from training.features.char_ngrams import spelled_features, spelling_matrix
from training.features.tfidf import counts, inverse_document_frequency, tfidf
from training.features.vectoriser import RESERVED, build_vocabulary, encode
from training.neural.bag import Pairs, bag_model
from training.neural.batches import pad
from training.neural.layers import WordVectors

NAMES = ("crime", "fantasy", "travel")
ROWS = make_rows(150)
TEXTS = [row["summary"] for row in ROWS]
LABELS = np.array([NAMES.index(row["genre"]) for row in ROWS])
VOCABULARY = build_vocabulary(TEXTS, size=100, min_count=1)
ENCODED = encode(TEXTS, VOCABULARY, None)
TOKENS = len(VOCABULARY) + RESERVED
IDF = inverse_document_frequency(counts(ENCODED, TOKENS))
FEATURES = tfidf(counts(ENCODED, TOKENS), IDF)
VECTORS = np.random.default_rng(7).normal(size=(TOKENS, 16)).astype(np.float16).astype(np.float32)
VECTORS[:RESERVED] = 0.0
SPELLING = spelling_matrix(VOCABULARY, IDF)
NONE = Rows(features=FEATURES[:0], labels=LABELS[:0])
CONFIG = LinearModelsConfig()


def _rows(chosen: np.ndarray | slice) -> Rows:
    return Rows(features=FEATURES[chosen], labels=LABELS[chosen])


def _fit(learn: Rows, extra: Rows = NONE, classes: int = 3) -> LinearModels:
    return fit_linear_models(learn, extra, VECTORS, SPELLING, classes, CONFIG)


def test_every_member_labels_rows_it_has_not_seen() -> None:
    experts = _fit(_rows(slice(0, 60)), _rows(slice(60, 90)))
    assert set(experts.members) == {"words", "words_extra", "spelling", "kernel", "neighbours"}
    found = experts.scores(FEATURES[90:], VECTORS).argmax(axis=2)
    for name, labels in zip(experts.members, found, strict=True):
        assert (labels == LABELS[90:]).mean() > 0.85, name


def test_two_labels_are_enough() -> None:
    chosen = np.flatnonzero(LABELS < 2)
    experts = _fit(_rows(chosen[:60]), classes=2)
    found = experts.scores(FEATURES[chosen[60:]], VECTORS).mean(axis=0).argmax(axis=1)
    assert (found == LABELS[chosen[60:]]).mean() > 0.85


def test_a_label_without_learning_rows_is_never_chosen() -> None:
    experts = _fit(_rows(slice(0, 60)), classes=4)
    assert (experts.scores(FEATURES, VECTORS).mean(axis=0).argmax(axis=1) < 3).all()


def _graph_scores(experts: LinearModels, weights: np.ndarray) -> tuple[keras.Model, np.ndarray]:
    """The collapsed models in the graph, and their scores."""
    words = WordVectors(TOKENS, 16)
    words.build(None)
    words.set_weights([VECTORS, np.ones(TOKENS)])
    model = bag_model(experts.collapse(weights), IDF, words)
    return model, np.asarray(model(pad(ENCODED)))


def test_the_collapsed_models_have_the_weighted_sum_of_the_scores() -> None:
    experts = _fit(_rows(slice(0, 60)), _rows(slice(60, 90)))
    weights = np.array([0.5, 2.0, 1.0, 0.0, 3.0])
    expected = np.tensordot(weights, experts.scores(FEATURES, VECTORS), axes=1)
    assert np.allclose(experts.collapse(weights).scores(FEATURES, VECTORS)[0], expected, atol=1e-9)


def test_the_graph_scores_as_the_linear_models_do() -> None:
    experts = _fit(_rows(slice(0, 60)))
    _, scores = _graph_scores(experts, np.ones(len(experts.members)))
    assert np.allclose(scores, experts.scores(FEATURES, VECTORS).sum(axis=0), atol=1e-4)


def test_centres_that_only_members_of_weight_zero_use_are_not_in_the_graph() -> None:
    experts = _fit(_rows(slice(0, 60)))
    names = list(experts.members)
    weights = np.array([0.0 if name == "kernel" else 1.0 for name in names])
    model, scores = _graph_scores(experts, weights)
    support = experts.members["neighbours"].alpha.any(axis=1).sum()
    (centres,) = [w.shape[0] for w in model.weights if w.path.endswith("centres")]
    assert centres == support < len(experts.centres)
    expected = np.tensordot(weights, experts.scores(FEATURES, VECTORS), axes=1)
    assert np.allclose(scores, expected, atol=1e-4)


def test_without_kernel_members_the_graph_has_no_kernel() -> None:
    experts = _fit(_rows(slice(0, 60)))
    weights = np.array([float(name in ("words", "spelling")) for name in experts.members])
    model, scores = _graph_scores(experts, weights)
    assert not {w.path.rpartition("/")[2] for w in model.weights} & {"alpha", "mean", "centres"}
    expected = np.tensordot(weights, experts.scores(FEATURES, VECTORS), axes=1)
    assert np.allclose(scores, expected, atol=1e-4)


def test_the_graphs_tfidf_equals_the_solvers() -> None:
    layer = Pairs(TOKENS)
    layer.build((None, None))
    layer.set_weights([IDF])
    row, word, value = (np.asarray(part) for part in layer(pad(ENCODED)))
    dense = np.zeros((len(TEXTS), TOKENS), np.float32)
    dense[row, word] = value
    assert np.allclose(dense, FEATURES.toarray(), atol=1e-6)


def test_a_text_of_unknown_words_gets_finite_scores() -> None:
    experts = _fit(_rows(slice(0, 60)))
    unknown = tfidf(counts([np.array([1, 1], np.int32)], TOKENS), IDF)
    assert np.isfinite(experts.scores(unknown, VECTORS)).all()


def test_linear_models_are_saved_and_loaded(tmp_path: Path) -> None:
    experts = _fit(_rows(slice(0, 60)))
    experts.save(tmp_path / "experts.npz")
    loaded = LinearModels.load(tmp_path / "experts.npz")
    assert list(loaded.members) == list(experts.members)
    assert np.allclose(
        loaded.scores(FEATURES, VECTORS), experts.scores(FEATURES, VECTORS), atol=1e-4
    )


def _selected(extra: Rows, config: LinearModelsConfig = CONFIG) -> np.ndarray:
    return select_confident(_rows(slice(0, 60)), extra, VECTORS, SPELLING, 3, config)


def test_rows_whose_text_speaks_for_their_tag_are_selected() -> None:
    assert len(_selected(_rows(slice(60, 150)))) > 70


def test_rows_whose_text_disagrees_with_their_tag_are_not() -> None:
    wrong = Rows(features=FEATURES[60:], labels=(LABELS[60:] + 1) % 3)
    assert len(_selected(wrong)) < 15


def test_untagged_rows_are_never_selected() -> None:
    untagged = Rows(features=FEATURES[60:], labels=np.full(90, -1))
    assert len(_selected(untagged)) == 0


def test_no_label_gets_more_selected_rows_than_the_limit() -> None:
    chosen = _selected(_rows(slice(60, 150)), LinearModelsConfig(extra_per_class=3))
    assert np.bincount(LABELS[60:][chosen]).tolist() == [3, 3, 3]


def test_words_that_share_letters_share_evidence() -> None:
    matrix = spelling_matrix(["starship", "starships", "castle"], np.ones(5, np.float32))
    alike = (matrix @ matrix.T).toarray()
    assert alike[2, 3] > 0.6
    assert alike[2, 4] < 0.3


def test_slopes_on_letters_are_slopes_on_words() -> None:
    spelled = spelled_features(FEATURES, SPELLING)
    slopes = np.random.default_rng(7).normal(size=(SPELLING.shape[1], 3))
    assert np.allclose(spelled.features @ slopes, FEATURES @ spelled.per_word(slopes))


@pytest.mark.parametrize("text", ["", "qqq zzz"])
def test_an_empty_row_stays_zero(text: str) -> None:
    found = tfidf(counts(encode([text], VOCABULARY, None), TOKENS), IDF)
    assert found.nnz == 0
