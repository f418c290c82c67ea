"""Every row predicted by a model that did not learn from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from training.baselines import tfidf_svm
from training.batches import predict_logits
from training.config import TrainingConfig
from training.data import Corpus, ExtraTexts
from training.fit import Labelled, fit
from training.folds import assign_folds, near_duplicates, pick_validation, usable_folds

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
    corpus: Corpus, extra: ExtraTexts, config: TrainingConfig, workdir: Path
) -> HeldOut:
    """Train one model per fold in ``workdir/fold-N``; finished folds are not repeated."""
    folds = folds_of(corpus, config)
    count = int(folds.max()) + 1
    logits = np.zeros((len(corpus), len(corpus.label_names)), dtype=np.float32)
    epochs: list[tuple[int, int]] = []
    for fold in range(count):
        keras.utils.clear_session()
        keras.utils.set_random_seed(config.seed)
        held = folds == fold
        learned = select(corpus, ~held)
        watched = pick_validation(
            learned.texts, learned.labels, config.split.validation_fraction, config.split.seed
        )
        asked = select(corpus, held)
        fitted = fit(
            _part(learned, ~watched),
            _part(learned, watched) if watched.any() else None,
            extra.without(asked.texts),
            corpus.label_names,
            config,
            workdir / f"fold-{fold + 1}",
            title=f"fold {fold + 1}/{count}",
        )
        logits[held] = predict_logits(fitted.model, fitted.encode(asked.texts))
        epochs.append((fitted.pretraining_epochs, fitted.training_epochs))
    first, second = np.median(np.array(epochs), axis=0)
    return HeldOut(folds=folds, logits=logits, epochs=(round(first), round(second)))


def baseline_labels(corpus: Corpus, folds: Ints) -> Ints:
    """Out-of-fold labels [N] of TF-IDF with a linear support vector machine, on the same folds."""
    found = np.zeros(len(corpus), dtype=np.int64)
    for fold in np.unique(folds):
        held = folds == fold
        learned = select(corpus, ~held)
        asked = select(corpus, held)
        found[held] = tfidf_svm(learned.texts, learned.labels).predict(asked.texts)
    return found


def select(corpus: Corpus, rows: npt.NDArray[np.bool_]) -> Labelled:
    """The marked rows of a corpus."""
    return Labelled(texts=_marked(corpus.texts, rows), labels=corpus.labels[rows])


def _part(labelled: Labelled, rows: npt.NDArray[np.bool_]) -> Labelled:
    return Labelled(texts=_marked(labelled.texts, rows), labels=labelled.labels[rows])


def _marked(texts: Sequence[str], rows: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(text for text, marked in zip(texts, rows, strict=True) if marked)
