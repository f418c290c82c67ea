"""Every row scored by models that did not learn from it."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from training.config import TrainingConfig
from training.data.dataset import Corpus, ExtraTexts
from training.data.folds import assign_folds, near_duplicates, pick_validation, usable_folds
from training.ensemble.baselines import BASELINES
from training.errors import TrainingError
from training.export.run_directory import PREPARED
from training.features.fold_artifacts import features_of, prepare
from training.features.vectoriser import encode
from training.neural.batches import predict_logits
from training.neural.fit import Epochs, fit

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Out-of-fold scores."""

    names: tuple[str, ...]  # the sequence model first, then the experts' members
    scores: Floats  # [M, N, K]
    epochs: Epochs  # median of the folds' best


def folds_of(corpus: Corpus, config: TrainingConfig) -> Ints:
    """The fold of each row of the corpus, int64 [N].

    Raises:
        TrainingError: without one of the folds, books of a single label are left to learn from.
    """
    groups = near_duplicates(corpus.texts)
    count = usable_folds(corpus.labels, groups, config.split.folds)
    folds = assign_folds(corpus.texts, corpus.labels, groups, count, config.split.seed)
    for fold in range(count):
        if len(np.unique(corpus.labels[folds != fold])) < 2:
            raise TrainingError(
                "Too few of the books differ: near-repeats are held out together, and what is left to learn from has a "
                "single genre. Add books until two genres have two summaries each that are not alike."
            )
    return folds


def cross_validate(
    corpus: Corpus, folds: Ints, extra: ExtraTexts, config: TrainingConfig, workdir: Path
) -> HeldOut:
    """Train one model per fold in ``workdir/ARCHITECTURE/fold-N``; none that is there already.

    ``workdir/prepared/fold-N`` keeps what does not depend on the architecture. ``extra`` must hold
    no text of the corpus.
    """
    count = int(folds.max()) + 1
    names = corpus.label_names
    everything = corpus.labelled()
    parts: list[tuple[npt.NDArray[np.bool_], Floats]] = []
    epochs: list[Epochs] = []
    members: list[str] = []
    for fold in range(count):
        keras.utils.clear_session()
        held = folds == fold
        learned, asked = everything.select(~held), everything.select(held)
        watched = pick_validation(
            learned.texts, learned.labels, config.split.validation_fraction, config.split.seed
        )
        name = f"fold-{fold + 1}"
        prepared = prepare(learned, extra, names, config, workdir / PREPARED / name)
        fitted = fit(
            learned.select(~watched),
            learned.select(watched) if watched.any() else None,
            extra,
            prepared,
            len(names),
            config,
            workdir / config.model.architecture / name,
            title=f"{config.model.architecture} {fold + 1}/{count}",
        )
        read = predict_logits(fitted.model, encode(asked.texts, prepared.vocabulary, None))
        counted = prepared.experts.scores(features_of(asked.texts, prepared), prepared.unit)
        parts.append((held, np.concatenate([read[None], counted]).astype(np.float32)))
        members = [config.model.architecture, *prepared.experts.members]
        epochs.append(fitted.epochs)
    scores = np.zeros((len(members), len(corpus), len(names)), dtype=np.float32)
    for held, part in parts:
        scores[:, held] = part
    first, second = np.median(np.array(epochs), axis=0)
    return HeldOut(names=tuple(members), scores=scores, epochs=(round(first), round(second)))


def baseline_labels(corpus: Corpus, folds: Ints, name: str) -> Ints:
    """Out-of-fold labels [N] of a classical model, on the same folds."""
    found = np.zeros(len(corpus), dtype=np.int64)
    for fold in np.unique(folds):
        held = folds == fold
        learned, asked = corpus.labelled().select(~held), corpus.labelled().select(held)
        found[held] = BASELINES[name](learned.texts, learned.labels).predict(asked.texts)
    return found
