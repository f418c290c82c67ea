"""Sequence model and linear models of a run as one graph that shares its word vectors."""

from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from training.config import TrainingConfig
from training.export.ensemble_head import EnsembleHead
from training.export.run_directory import ARTIFACTS, FINAL
from training.features.fold_artifacts import load_artifacts
from training.neural.fit import load
from training.neural.linear_graph import build_linear_model


@dataclass(frozen=True, kw_only=True)
class EnsembleModel:
    """The whole model, from tokens to probabilities."""

    sequence: keras.Model  # int32 tokens [N, T] → scores float32 [N, K]
    linear: keras.Model  # the same: the weighted sum of the linear models
    head: EnsembleHead
    vocabulary: tuple[str, ...]

    def logits(self, tokens: tf.Tensor) -> tf.Tensor:
        """int32 [N, T] → float32 [N, K]."""
        sequence = self.sequence(tokens, training=False) * float(self.head.weights[0])
        return sequence + self.linear(tokens, training=False)

    def calibrated(self, logits: tf.Tensor) -> tf.Tensor:
        """float32 [N, K] → probabilities float32 [N, K]."""
        calibration = self.head.calibration
        label_noise = tf.constant(calibration.label_noise, tf.float32)
        prior = tf.constant(calibration.prior, tf.float32)
        clean = tf.nn.softmax(logits / calibration.temperature)
        noise = tf.reduce_sum(clean * label_noise, axis=1, keepdims=True)
        return clean * (1.0 - label_noise) + noise * prior

    def probabilities(self, tokens: tf.Tensor) -> tf.Tensor:
        """int32 [N, T] → float32 [N, K], calibrated."""
        return self.calibrated(self.logits(tokens))


def load_ensemble(run: Path, config: TrainingConfig, labels: tuple[str, ...]) -> EnsembleModel:
    """Load the final model that ``training.train`` left in a run directory."""
    artifacts = load_artifacts(labels, config, run / ARTIFACTS / "all")
    sequence = load(run / FINAL, artifacts, len(labels), config)
    head = EnsembleHead.load(run)
    linear_models = artifacts.linear_models.collapse(head.weights[1:])
    return EnsembleModel(
        sequence=sequence.model,
        linear=build_linear_model(linear_models, artifacts.idf, sequence.words),
        head=head,
        vocabulary=artifacts.vocabulary,
    )
