"""Every row scored by models that did not learn from it."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from training.baselines import BASELINES
from training.batches import predict_logits
from training.config import TrainingConfig
from training.data import Corpus, ExtraTexts
from training.fit import Epochs, fit
from training.folds import assign_folds, near_duplicates, pick_validation, usable_folds
from training.prepare import prepare

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """One architecture's out-of-fold scores."""

    scores: Floats  # [N, K]
    epochs: Epochs  # median of the folds' best


def folds_of(corpus: Corpus, config: TrainingConfig) -> Ints:
    """The fold of each row of the corpus, int64 [N]."""
    groups = near_duplicates(corpus.texts)
    count = usable_folds(corpus.labels, groups, config.split.folds)
    return assign_folds(corpus.texts, corpus.labels, groups, count, config.split.seed)


def cross_validate(
    architecture: str,
    corpus: Corpus,
    folds: Ints,
    extra: ExtraTexts,
    config: TrainingConfig,
    workdir: Path,
) -> HeldOut:
    """Train one model per fold in ``workdir/ARCHITECTURE/fold-N``; none that is there already.

    ``workdir/prepared/fold-N`` keeps what does not depend on the architecture. ``extra`` must hold
    no text of the corpus.
    """
    count = int(folds.max()) + 1
    names = corpus.label_names
    scores = np.zeros((len(corpus), len(names)), dtype=np.float32)
    epochs: list[Epochs] = []
    for fold in range(count):
        keras.utils.clear_session()
        held = folds == fold
        learned, asked = corpus.labelled().select(~held), corpus.labelled().select(held)
        watched = pick_validation(
            learned.texts, learned.labels, config.split.validation_fraction, config.split.seed
        )
        name = f"fold-{fold + 1}"
        fitted = fit(
            architecture,
            learned.select(~watched),
            learned.select(watched) if watched.any() else None,
            prepare(learned, extra, names, config, workdir / "prepared" / name),
            len(names),
            config,
            workdir / architecture / name,
            title=f"{architecture} {fold + 1}/{count}",
        )
        scores[held] = predict_logits(fitted.model, fitted.encode(asked.texts))
        epochs.append(fitted.epochs)
    first, second = np.median(np.array(epochs), axis=0)
    return HeldOut(scores=scores, epochs=(round(first), round(second)))


def baseline_labels(corpus: Corpus, folds: Ints, name: str) -> Ints:
    """Out-of-fold labels [N] of a classical model, on the same folds."""
    found = np.zeros(len(corpus), dtype=np.int64)
    for fold in np.unique(folds):
        held = folds == fold
        learned, asked = corpus.labelled().select(~held), corpus.labelled().select(held)
        found[held] = BASELINES[name](learned.texts, learned.labels).predict(asked.texts)
    return found
