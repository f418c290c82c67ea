import numpy as np

from training.config import EmbeddingConfig
from training.embeddings import rows_of, starting_embedding, train_vectors

TEXTS = ["dragon wizard magic castle", "detective murder police knife"] * 30


def test_words_that_share_texts_come_to_lie_together() -> None:
    config = EmbeddingConfig(dimensions=8, epochs=40, window=4, subsample=0.0)
    vectors = train_vectors(TEXTS, config, min_count=1, seed=7)

    def cosine(a: str, b: str) -> float:
        first, second = vectors[a], vectors[b]
        return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))

    assert cosine("dragon", "wizard") > cosine("dragon", "murder")


def test_the_same_seed_gives_the_same_vectors() -> None:
    config = EmbeddingConfig(dimensions=8, epochs=2)
    first, second = (train_vectors(TEXTS, config, min_count=1, seed=7) for _ in range(2))
    assert all(np.array_equal(first[token], second[token]) for token in first)


def test_no_epochs_means_no_vectors() -> None:
    assert train_vectors(TEXTS, EmbeddingConfig(epochs=0), min_count=1, seed=7) == {}


def test_every_token_has_a_row_and_padding_is_zero() -> None:
    vectors = {"b": np.ones(4, np.float32), "c": -np.ones(4, np.float32)}
    rows = rows_of(["a", "b", "c"], vectors, 4, seed=7)
    assert rows.shape == (5, 4)
    assert not rows[:2].any()
    assert rows[2].any()
    assert rows[3].tolist() == [1, 1, 1, 1]


def test_a_trained_embedding_starts_centred_and_short() -> None:
    rows = np.random.default_rng(7).normal(5.0, 2.0, (500, 8)).astype(np.float32)
    rows[:2] = 0.0
    start = starting_embedding(rows)
    assert not start[:2].any()
    assert abs(float(start[2:].mean())) < 0.01
    assert abs(float(start[2:].std()) - 0.3) < 0.01
