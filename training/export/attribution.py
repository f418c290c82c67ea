"""The words that spoke for an answer, computed inside the graph."""

from collections.abc import Callable

import keras
import tensorflow as tf

from training.export.graph import Assembled
from training.features.vectoriser import PADDING, RESERVED
from training.neural.bag import PAIRS
from training.neural.graph_inputs import EMBEDDING

WORDS = 8
"""Words per row: more than a person reads, fewer than a cell can hold."""


def evidence_of(assembled: Assembled) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """A graph function: int32 tokens [N, T] → ``words`` string [N, 8], ``weights`` float32 [N, 8].

    A word's weight is its share of all that speaks for the answered label: gradient times input of
    the label's log odds, summed over the word's occurrences. Words that speak against it are left
    out; places without a word hold "" and 0.
    """
    sequence = _with_features(assembled.sequence, EMBEDDING)
    bag = _with_features(assembled.bag, PAIRS)
    width = len(assembled.vocabulary) + RESERVED
    spelling = tf.constant(["", "", *assembled.vocabulary])

    def explain(tokens: tf.Tensor) -> dict[str, tf.Tensor]:
        vectors, read = sequence(tokens, training=False)
        (row, word, value), counted = bag(tokens, training=False)
        logits = read * float(assembled.answer.weights[0]) + counted
        answer = tf.argmax(assembled.calibrated(logits), axis=1)
        answered = tf.one_hot(answer, tf.shape(logits)[1])
        others = tf.reduce_logsumexp(logits - 1e9 * answered, axis=1)
        odds = tf.reduce_sum(logits * answered, axis=1) - others
        by_place, by_pair = tf.gradients(odds, [vectors, value])
        rows = tf.shape(tokens, out_type=tf.int64)[0]
        seen = tf.cast(tokens[:, : tf.shape(vectors)[1]], tf.int64)
        place = tf.range(rows)[:, None] * width + seen
        spoken = tf.where(seen == PADDING, 0.0, tf.reduce_sum(vectors * by_place, axis=2))
        total = tf.math.unsorted_segment_sum(
            tf.concat([tf.reshape(spoken, [-1]), value * by_pair], axis=0),
            tf.concat([tf.reshape(place, [-1]), row * width + word], axis=0),
            rows * width,
        )
        known = tf.concat([tf.zeros(RESERVED), tf.ones(width - RESERVED)], axis=0)
        total = tf.nn.relu(tf.reshape(total, [rows, width])) * known
        share = tf.math.divide_no_nan(total, tf.reduce_sum(total, axis=1, keepdims=True))
        weights, numbers = tf.math.top_k(share, k=min(WORDS, width))
        return {
            "words": tf.where(weights > 0, tf.gather(spelling, numbers), ""),
            "weights": weights,
        }

    return explain


def _with_features(model: keras.Model, layer: str) -> keras.Model:
    """The model with the named layer's output before its own, in one run of the graph."""
    return keras.Model(model.inputs, [model.get_layer(layer).output, model.output])
