"""Architectures whose weights are computed, not trained: ``wide`` and ``kernel``.

They read the whole text, not its beginning, as a bag of words.
"""

import keras

from training.models.shape import Shape
from training.models.tfidf_layers import DocumentVector, RadialBasis, TfIdf

TFIDF = "tfidf"
DOCUMENT = "document"
SUPPORT = "support"
SCORES = "scores"


def wide(shape: Shape) -> keras.Model:
    """One weight per word and label."""
    inputs = keras.Input((None,), dtype="int32", name="tokens")
    features = TfIdf(shape.tokens, name=TFIDF)(inputs)
    scores = keras.layers.Dense(shape.classes, name=SCORES)(features)
    return keras.Model(inputs, scores, name=shape.architecture)


def kernel(shape: Shape) -> keras.Model:
    """How near a text's mean word vector lies to known texts of each label."""
    inputs = keras.Input((None,), dtype="int32", name="tokens")
    features = TfIdf(shape.tokens, name=TFIDF)(inputs)
    document = DocumentVector(shape.dimensions, shape.half, name=DOCUMENT)(features)
    near = RadialBasis(shape.support_rows, shape.gamma, name=SUPPORT)(document)
    scores = keras.layers.Dense(shape.classes, use_bias=False, name=SCORES)(near)
    return keras.Model(inputs, scores, name=shape.architecture)
