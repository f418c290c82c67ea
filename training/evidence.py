"""The words that spoke for an answer, computed inside the graph."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import tensorflow as tf

from training.fusion import Fusion
from training.models.shape import EMBEDDING
from training.models.solved import TFIDF
from training.vectoriser import PADDING, RESERVED

WORDS = 8
"""Words per row: more than a person reads, fewer than a cell can hold."""


@dataclass(frozen=True, kw_only=True)
class _Probe:
    """A member that also gives out the features in which a word can be found again."""

    model: keras.Model  # tokens → (features, scores)
    by_position: bool  # features are [N, T, D]; else [N, tokens]


def evidence_of(
    members: Sequence[keras.Model], fusion: Fusion, vocabulary: Sequence[str]
) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """A graph function: int32 tokens [N, T] → ``words`` string [N, 8], ``weights`` float32 [N, 8].

    A word's weight is its share of all that speaks for the answered label: gradient times input of
    the label's log odds, summed over the members and over the word's occurrences. Words that speak
    against it are left out; places without a word hold "" and 0.
    """
    probes = [_probe(member) for member in members]
    spelling = tf.constant(["", "", *vocabulary])

    def explain(tokens: tf.Tensor) -> dict[str, tf.Tensor]:
        found = [probe.model(tokens, training=False) for probe in probes]
        scores = zip(fusion.weights, found, strict=True)
        logits = tf.add_n([weight * score for weight, (_, score) in scores])
        logits += tf.constant(fusion.bias, tf.float32)
        answered = tf.one_hot(tf.argmax(logits, axis=1), len(fusion.bias))
        others = tf.reduce_logsumexp(logits - 1e9 * answered, axis=1)
        odds = tf.reduce_sum(logits * answered, axis=1) - others
        slopes = tf.gradients(odds, [features for features, _ in found])
        width = len(vocabulary) + RESERVED
        total = tf.add_n(
            [
                _per_word(tokens, probe, features, slope, width)
                for probe, (features, _), slope in zip(probes, found, slopes, strict=True)
            ]
        )
        total = tf.nn.relu(total) * tf.concat([tf.zeros(RESERVED), tf.ones(width - RESERVED)], 0)
        share = tf.math.divide_no_nan(total, tf.reduce_sum(total, axis=1, keepdims=True))
        weights, numbers = tf.math.top_k(share, k=min(WORDS, width))
        words = tf.where(weights > 0, tf.gather(spelling, numbers), "")
        return {"words": words, "weights": weights}

    return explain


def _probe(member: keras.Model) -> _Probe:
    by_position = any(layer.name == EMBEDDING for layer in member.layers)
    features = member.get_layer(EMBEDDING if by_position else TFIDF).output
    return _Probe(
        model=keras.Model(member.inputs, [features, member.output]), by_position=by_position
    )


def _per_word(
    tokens: tf.Tensor, probe: _Probe, features: tf.Tensor, slope: tf.Tensor, width: int
) -> tf.Tensor:
    """Contribution of each word of the vocabulary, float32 [N, width]."""
    spoken = tf.cast(features, tf.float32) * tf.cast(slope, tf.float32)
    if not probe.by_position:
        return spoken
    spoken = tf.reduce_sum(spoken, axis=2)
    read = tokens[:, : tf.shape(spoken)[1]]
    spoken = tf.where(read == PADDING, 0.0, spoken)
    rows = tf.shape(read)[0]
    place = read + width * tf.range(rows)[:, None]
    summed = tf.math.unsorted_segment_sum(
        tf.reshape(spoken, [-1]), tf.reshape(place, [-1]), rows * width
    )
    return tf.reshape(summed, [rows, width])
