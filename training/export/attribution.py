"""Evidence: the words that contributed most to a label, computed inside the graph."""

from collections.abc import Callable

import keras
import tensorflow as tf

from training.export.ensemble_model import EnsembleModel
from training.features.vectoriser import PADDING, RESERVED
from training.neural.architectures.inputs_and_head import EMBEDDING_LAYER
from training.neural.linear_graph import TFIDF_LAYER

MAX_WORDS = 8
"""Words per row: as many as are worth reading in a cell."""


def build_attribution(ensemble: EnsembleModel) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """Build a graph function: int32 tokens [N, T] → ``words`` string, ``weights`` float32 [N, 8].

    The attribution of a word is gradient times input of the predicted label's log odds, summed over
    its occurrences. The weight is its share of all positive attributions; words with a negative one
    are left out. Unused entries are "" and 0.
    """
    sequence = _with_layer_output(ensemble.sequence, EMBEDDING_LAYER)
    linear = _with_layer_output(ensemble.linear, TFIDF_LAYER)
    tokens_in_all = len(ensemble.vocabulary) + RESERVED
    token_texts = tf.constant(["", "", *ensemble.vocabulary])

    def explain(tokens: tf.Tensor) -> dict[str, tf.Tensor]:
        vectors, sequence_scores = sequence(tokens, training=False)
        (row, word, value), linear_scores = linear(tokens, training=False)
        logits = sequence_scores * float(ensemble.head.weights[0]) + linear_scores
        predicted = tf.argmax(ensemble.calibrated(logits), axis=1)
        one_hot = tf.one_hot(predicted, tf.shape(logits)[1])
        others = tf.reduce_logsumexp(logits - 1e9 * one_hot, axis=1)
        log_odds = tf.reduce_sum(logits * one_hot, axis=1) - others
        vector_gradients, value_gradients = tf.gradients(log_odds, [vectors, value])
        rows = tf.shape(tokens, out_type=tf.int64)[0]
        read = tf.cast(tokens[:, : tf.shape(vectors)[1]], tf.int64)
        # Segment `row * tokens_in_all + token` collects the attributions of one token in one row.
        segments = tf.range(rows)[:, None] * tokens_in_all + read
        by_position = tf.reduce_sum(vectors * vector_gradients, axis=2)
        by_position = tf.where(read == PADDING, 0.0, by_position)
        attribution = tf.math.unsorted_segment_sum(
            tf.concat([tf.reshape(by_position, [-1]), value * value_gradients], axis=0),
            tf.concat([tf.reshape(segments, [-1]), row * tokens_in_all + word], axis=0),
            rows * tokens_in_all,
        )
        is_word = tf.concat([tf.zeros(RESERVED), tf.ones(tokens_in_all - RESERVED)], axis=0)
        attribution = tf.nn.relu(tf.reshape(attribution, [rows, tokens_in_all])) * is_word
        share = tf.math.divide_no_nan(
            attribution, tf.reduce_sum(attribution, axis=1, keepdims=True)
        )
        weights, numbers = tf.math.top_k(share, k=min(MAX_WORDS, tokens_in_all))
        return {
            "words": tf.where(weights > 0, tf.gather(token_texts, numbers), ""),
            "weights": weights,
        }

    return explain


def _with_layer_output(model: keras.Model, layer: str) -> keras.Model:
    """The model with the named layer's output before its own, in one run of the graph."""
    return keras.Model(model.inputs, [model.get_layer(layer).output, model.output])
