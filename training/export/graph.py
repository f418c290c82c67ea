"""A run's sequence model and experts as one graph that shares its word vectors."""

from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from training.config import TrainingConfig
from training.data.dataset import NO_EXTRA, Labelled
from training.export.ensemble_head import Answer, read_answer
from training.export.run_directory import FINAL, PREPARED
from training.features.fold_artifacts import prepare
from training.neural.bag import bag_model
from training.neural.fit import load


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """Everything an export needs."""

    sequence: keras.Model  # int32 tokens [N, T] → scores float32 [N, K]
    bag: keras.Model  # the same, the experts' weighed sum
    answer: Answer
    vocabulary: tuple[str, ...]

    def logits(self, tokens: tf.Tensor) -> tf.Tensor:
        """int32 [N, T] → float32 [N, K]."""
        read = self.sequence(tokens, training=False) * float(self.answer.weights[0])
        return read + self.bag(tokens, training=False)

    def calibrated(self, logits: tf.Tensor) -> tf.Tensor:
        """float32 [N, K] → probabilities float32 [N, K]."""
        calibration = self.answer.calibration
        noise = tf.constant(calibration.noise, tf.float32)
        share = tf.constant(calibration.share, tf.float32)
        reads = tf.nn.softmax(logits / calibration.temperature)
        unread = tf.reduce_sum(reads * noise, axis=1, keepdims=True)
        return reads * (1.0 - noise) + unread * share

    def probabilities(self, tokens: tf.Tensor) -> tf.Tensor:
        """int32 [N, T] → float32 [N, K], calibrated."""
        return self.calibrated(self.logits(tokens))


def assemble(run: Path, config: TrainingConfig, labels: tuple[str, ...]) -> Assembled:
    """Load what ``training.train`` left in a run folder."""
    # Everything is there already, so that nothing is computed from these empty rows.
    prepared = prepare(Labelled.empty(), NO_EXTRA, labels, config, run / PREPARED / "all")
    fitted = load(run / FINAL, prepared, len(labels), config)
    answer = read_answer(run)
    models = prepared.experts.collapse(answer.weights[1:])
    return Assembled(
        sequence=fitted.model,
        bag=bag_model(models, prepared.idf, fitted.words),
        answer=answer,
        vocabulary=prepared.vocabulary,
    )
