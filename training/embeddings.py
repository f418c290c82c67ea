"""word2vec vectors for a vocabulary."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from gensim.models import Word2Vec

from training.config import EmbeddingConfig

Floats = npt.NDArray[np.float32]


def train_vectors(
    texts: Sequence[str], config: EmbeddingConfig, *, min_count: int, seed: int
) -> dict[str, Floats]:
    """word2vec over cleaned texts: token → float32 [dimensions].

    One thread, because more make the vectors depend on the scheduler.
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
    """Initial rows of the embedding, float32 [len(vocabulary) + 2, dimensions].

    Row 0 (padding) is zero; row 1 (unknown) is the mean vector; a token without a vector is drawn
    with the spread of the others, so that no row stands out by its length. Vectors are centred and
    scaled to a standard deviation of 0.3, because raw word2vec lengths saturate recurrent gates.
    """
    random = np.random.default_rng(seed)
    matrix = random.normal(0.0, 1.0, (len(vocabulary) + 2, dimensions)).astype(np.float32)
    known = [index for index, token in enumerate(vocabulary) if token in vectors]
    if known:
        learned = np.stack([vectors[vocabulary[index]] for index in known])
        learned = (learned - learned.mean(axis=0)) / max(float(learned.std()), 1e-6)
        matrix[[index + 2 for index in known]] = learned
        matrix[1] = 0.0
    matrix *= 0.3
    matrix[0] = 0.0
    return matrix
