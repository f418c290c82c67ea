import numpy as np

from training.config import EmbeddingConfig
from training.features.embeddings import embedding_matrix, train_word2vec, unit_vectors_and_lengths

TEXTS = ["dragon wizard magic castle", "detective murder police knife"] * 30


def test_words_of_the_same_texts_have_similar_vectors() -> None:
    config = EmbeddingConfig(dimensions=8, epochs=40, window=4, subsample=0.0)
    vectors = train_word2vec(TEXTS, config, min_count=1, seed=7)

    def cosine(a: str, b: str) -> float:
        first, second = vectors[a], vectors[b]
        return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))

    assert cosine("dragon", "wizard") > cosine("dragon", "murder")


def test_the_same_seed_gives_the_same_vectors() -> None:
    config = EmbeddingConfig(dimensions=8, epochs=2)
    first, second = (train_word2vec(TEXTS, config, min_count=1, seed=7) for _ in range(2))
    assert all(np.array_equal(first[token], second[token]) for token in first)


def test_no_epochs_means_no_vectors() -> None:
    assert train_word2vec(TEXTS, EmbeddingConfig(epochs=0), min_count=1, seed=7) == {}


def test_every_token_has_a_row_and_padding_is_zero() -> None:
    vectors = {"b": np.ones(4, np.float32), "c": -np.ones(4, np.float32)}
    rows = embedding_matrix(["a", "b", "c"], vectors, 4, seed=7)
    assert rows.shape == (5, 4)
    assert not rows[:2].any()
    assert rows[2].any()
    assert rows[3].tolist() == [1, 1, 1, 1]


def test_unit_vectors_times_lengths_are_the_scaled_vectors() -> None:
    rows = np.random.default_rng(7).normal(0.0, 2.0, (500, 8)).astype(np.float32)
    rows[:2] = 0.0
    unit, length = unit_vectors_and_lengths(rows)
    assert not length[:2].any()
    assert np.allclose(np.linalg.norm(unit[2:], axis=1), 1.0, atol=1e-3)
    scaled = unit * length[:, None]
    assert abs(float(scaled[2:].std()) - 0.3) < 0.01
    assert np.allclose(scaled * (2.0 / 0.3), rows, atol=0.1)
