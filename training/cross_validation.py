"""Every row predicted by a model that did not learn from it."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from training.baselines import BASELINES
from training.batches import predict_logits
from training.config import TrainingConfig
from training.data import Corpus, ExtraTexts
from training.fit import fit
from training.folds import assign_folds, near_duplicates, pick_validation, usable_folds
from training.prepare import prepare

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Out-of-fold predictions."""

    folds: Ints  # [N]
    logits: Floats  # [N, K]
    epochs: tuple[int, int]  # median of the folds' best epochs, pre-training and training


def folds_of(corpus: Corpus, config: TrainingConfig) -> Ints:
    """The fold of each row of the corpus, int64 [N]."""
    groups = near_duplicates(corpus.texts)
    count = usable_folds(corpus.labels, groups, config.split.folds)
    return assign_folds(corpus.texts, corpus.labels, groups, count, config.split.seed)


def cross_validate(
    corpus: Corpus,
    extra: ExtraTexts,
    config: TrainingConfig,
    workdir: Path,
    *,
    shared: Path,
    title: str,
) -> HeldOut:
    """Train one model per fold in ``workdir/fold-N``; finished folds are not repeated.

    ``shared/fold-N`` keeps what does not depend on the architecture. ``extra`` must hold no text of
    the corpus.
    """
    folds = folds_of(corpus, config)
    count = int(folds.max()) + 1
    logits = np.zeros((len(corpus), len(corpus.label_names)), dtype=np.float32)
    epochs: list[tuple[int, int]] = []
    for fold in range(count):
        keras.utils.clear_session()
        held = folds == fold
        learned, asked = corpus.labelled().select(~held), corpus.labelled().select(held)
        watched = pick_validation(
            learned.texts, learned.labels, config.split.validation_fraction, config.split.seed
        )
        learn = learned.select(~watched)
        name = f"fold-{fold + 1}"
        fitted = fit(
            learn,
            learned.select(watched) if watched.any() else None,
            prepare(learn, extra, corpus.label_names, config, shared / name),
            len(corpus.label_names),
            config,
            workdir / name,
            title=f"{title} fold {fold + 1}/{count}",
        )
        logits[held] = predict_logits(fitted.model, fitted.encode(asked.texts))
        epochs.append((fitted.pretraining_epochs, fitted.training_epochs))
    first, second = np.median(np.array(epochs), axis=0)
    return HeldOut(folds=folds, logits=logits, epochs=(round(first), round(second)))


def baseline_labels(corpus: Corpus, folds: Ints, name: str = "tfidf_svm") -> Ints:
    """Out-of-fold labels [N] of a classical model, on the same folds."""
    found = np.zeros(len(corpus), dtype=np.int64)
    for fold in np.unique(folds):
        held = folds == fold
        learned, asked = corpus.labelled().select(~held), corpus.labelled().select(held)
        found[held] = BASELINES[name](learned.texts, learned.labels).predict(asked.texts)
    return found
