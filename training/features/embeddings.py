"""word2vec vectors for a vocabulary."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from gensim.models import Word2Vec

from training.config import EmbeddingConfig
from training.features.vectoriser import RESERVED

Floats = npt.NDArray[np.float32]


def train_word2vec(
    texts: Sequence[str], config: EmbeddingConfig, *, min_count: int, seed: int
) -> dict[str, Floats]:
    """Train word2vec on cleaned texts: token → float32 [dimensions].

    In one thread, because with more the vectors would depend on the scheduler.
    """
    if config.epochs == 0:
        return {}
    model = Word2Vec(
        sentences=[text.split() for text in texts],
        vector_size=config.dimensions,
        window=config.window,
        min_count=min_count,
        sg=int(config.skip_gram),
        negative=config.negative_samples,
        sample=config.subsample,
        epochs=config.epochs,
        workers=1,
        seed=seed,
    )
    return {token: model.wv[token] for token in model.wv.index_to_key}


def embedding_matrix(
    vocabulary: Sequence[str], vectors: dict[str, Floats], dimensions: int, *, seed: int
) -> Floats:
    """The embedding matrix, float32 [len(vocabulary) + 2, dimensions].

    Padding and the unknown token have zeros; a token without a vector has a random one.
    """
    random = np.random.default_rng(seed)
    rows = random.normal(0.0, 0.1, (len(vocabulary) + RESERVED, dimensions)).astype(np.float32)
    rows[:RESERVED] = 0.0
    for number, token in enumerate(vocabulary, start=RESERVED):
        if token in vectors:
            rows[number] = vectors[token]
    return rows


def unit_vectors_and_lengths(rows: Floats) -> tuple[Floats, Floats]:
    """Split vectors into unit vectors, rounded to float16, and lengths, scaled.

    The scaled vectors have a standard deviation of 0.3: longer ones saturate recurrent gates. Rare
    words have short vectors in word2vec and should have less influence on a sequence model.
    """
    lengths = np.linalg.norm(rows, axis=1)
    unit = rows / np.maximum(lengths, 1e-6)[:, None]
    deviation = max(float(rows[RESERVED:].std()), 1e-6)
    scaled = (0.3 / deviation * lengths).astype(np.float32)
    return unit.astype(np.float16).astype(np.float32), scaled
