"""Cross-validation: every row is scored by models that were not trained on it."""

import time
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from training import console
from training.config import TrainingConfig
from training.data.dataset import Corpus, ExtraTexts
from training.data.folds import assign_folds, near_duplicates, usable_folds, validation_mask
from training.ensemble.baselines import BASELINES
from training.errors import TrainingError
from training.export.run_directory import ARTIFACTS
from training.features.fold_artifacts import build_artifacts
from training.features.vectoriser import encode
from training.neural.batches import predict_logits
from training.neural.fit import Epochs, fit

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class OutOfFoldScores:
    """Scores of the ensemble's members, each row by models of the other folds."""

    names: tuple[str, ...]  # the sequence model first, then the linear models
    scores: Floats  # [M, N, K]
    epochs: Epochs  # median over the folds


def make_folds(corpus: Corpus, config: TrainingConfig) -> Ints:
    """The fold of each row of the corpus, int64 [N].

    Raises:
        TrainingError: outside of one of the folds there are books of a single label only.
    """
    groups = near_duplicates(corpus.texts)
    count = usable_folds(corpus.labels, groups, config.split.folds)
    folds = assign_folds(corpus.texts, corpus.labels, groups, count, config.split.seed)
    for fold in range(count):
        if len(np.unique(corpus.labels[folds != fold])) < 2:
            raise TrainingError(
                "Too many books are near-duplicates. These are held out together, and the "
                "remaining ones have a single genre. Add books until two genres have two "
                "different summaries each."
            )
    return folds


def cross_validate(
    corpus: Corpus, folds: Ints, extra: ExtraTexts, config: TrainingConfig, workdir: Path
) -> OutOfFoldScores:
    """Train one model per fold in ``workdir/ARCHITECTURE/fold-N``, unless it exists there.

    ``workdir/artifacts/fold-N`` has what does not depend on the architecture. ``extra`` must not
    contain texts of the corpus.
    """
    count = int(folds.max()) + 1
    label_names = corpus.label_names
    rows = corpus.labelled_texts()
    parts: list[tuple[npt.NDArray[np.bool_], Floats]] = []
    epochs: list[Epochs] = []
    members: list[str] = []
    for fold in range(count):
        console.heading(f"Fold {fold + 1} of {count}, {config.model.architecture}")
        started = time.monotonic()
        keras.utils.clear_session()
        held_out = folds == fold
        train, test = rows.select(~held_out), rows.select(held_out)
        validation = validation_mask(
            train.texts, train.labels, config.split.validation_fraction, config.split.seed
        )
        name = f"fold-{fold + 1}"
        artifacts = build_artifacts(train, extra, label_names, config, workdir / ARTIFACTS / name)
        sequence = fit(
            train.select(~validation),
            train.select(validation) if validation.any() else None,
            extra,
            artifacts,
            len(label_names),
            config,
            workdir / config.model.architecture / name,
        )
        sequence_scores = predict_logits(
            sequence.model, encode(test.texts, artifacts.vocabulary, None)
        )
        linear_scores = artifacts.linear_models.scores(
            artifacts.features(test.texts), artifacts.unit_vectors
        )
        scores = np.concatenate([sequence_scores[None], linear_scores]).astype(np.float32)
        parts.append((held_out, scores))
        members = [config.model.architecture, *artifacts.linear_models.members]
        epochs.append(sequence.epochs)
        seconds = time.monotonic() - started
        text = f"  finished in {console.duration(seconds)}"
        if remaining := count - fold - 1:
            text += f"; the other folds need about {console.duration(seconds * remaining)}"
        console.line(text)
    result = np.zeros((len(members), len(corpus), len(label_names)), dtype=np.float32)
    for held_out, scores in parts:
        result[:, held_out] = scores
    pretraining, training = np.median(np.array(epochs), axis=0)
    return OutOfFoldScores(
        names=tuple(members), scores=result, epochs=(round(pretraining), round(training))
    )


def baseline_predictions(corpus: Corpus, folds: Ints, name: str) -> Ints:
    """Out-of-fold predictions [N] of a baseline, on the same folds."""
    predicted = np.zeros(len(corpus), dtype=np.int64)
    rows = corpus.labelled_texts()
    for fold in np.unique(folds):
        held_out = folds == fold
        train, test = rows.select(~held_out), rows.select(held_out)
        predicted[held_out] = BASELINES[name](train.texts, train.labels).predict(test.texts)
    return predicted
