"""How good a model is on rows it did not learn from, as one JSON-ready document.

Calibrated figures are cross-fitted: a fold is calibrated on the other folds, so that no row is
judged by a temperature or a threshold that it helped to choose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax  # type: ignore[import-untyped]  # scipy ships none
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from training.config import CalibrationConfig
from training.evaluation.calibration import (
    calibration_error,
    fit_calibration,
    genre_sets,
    reliability,
)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]
Document = dict[str, Any]

_FEWEST_IN_GROUP = 10


def evaluate(
    logits: Floats,
    labels: Ints,
    folds: Ints,
    label_names: Sequence[str],
    config: CalibrationConfig,
    *,
    seed: int,
    groups: Mapping[str, npt.NDArray[np.bool_]] | None = None,
) -> Document:
    """Figures for held-out logits [N, K]; ``folds`` [N] tells which rows were held out together.

    ``groups``: rows [N] whose figures are told apart as well.
    """
    confident = _confidence(logits, labels, folds, list(label_names), config)
    found = np.array(confident.pop("answers"), dtype=np.int64)
    names = list(label_names)
    kinds = range(len(names))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, found, labels=kinds, zero_division=0.0
    )
    per_fold = [macro_f1(labels[folds == fold], found[folds == fold]) for fold in np.unique(folds)]
    return {
        "rows": len(labels),
        "labels": names,
        "macro_f1": macro_f1(labels, found),
        "macro_f1_interval": list(bootstrap_interval(labels, found, seed=seed)),
        "macro_f1_per_fold": per_fold,
        "accuracy": float((found == labels).mean()),
        "per_class": {
            name: {
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
                "rows": int(support[i]),
            }
            for i, name in enumerate(names)
        },
        "confusion": confusion_matrix(labels, found, labels=kinds).tolist(),
        "groups": {
            name: _within(labels, found, rows, names) for name, rows in (groups or {}).items()
        },
        **confident,
    }


def _within(
    labels: Ints, found: Ints, rows: npt.NDArray[np.bool_], names: Sequence[str]
) -> Document:
    """Figures of some rows. A label with hardly a row among them has no F1 worth a mean."""
    labels, found = labels[rows], found[rows]
    counts = np.bincount(labels, minlength=len(names))
    scores = {
        name: class_f1(labels, found, index)
        for index, name in enumerate(names)
        if counts[index] >= _FEWEST_IN_GROUP
    }
    return {
        "rows": len(labels),
        "accuracy": float((found == labels).mean()) if len(labels) else None,
        "f1": scores,
        "macro_f1": float(np.mean(list(scores.values()))) if scores else None,
    }


def macro_f1(labels: Ints, found: Ints) -> float:
    """The mean of the classes' F1 scores."""
    return float(f1_score(labels, found, average="macro", zero_division=0.0))


def class_f1(labels: Ints, found: Ints, label: int) -> float:
    """F1 of one label against the rest."""
    return float(f1_score(labels == label, found == label, zero_division=0.0))


def bootstrap_interval(
    labels: Ints, found: Ints, *, seed: int, rounds: int = 1000
) -> tuple[float, float]:
    """95 % percentile interval of macro-F1 when the rows are resampled with replacement."""
    random = np.random.default_rng(seed)
    classes = int(max(labels.max(), found.max())) + 1
    pairs = labels * classes + found
    scores = []
    for _ in range(rounds):
        drawn = random.choice(pairs, len(pairs))
        table = np.bincount(drawn, minlength=classes * classes).reshape(classes, classes)
        present = (table.sum(axis=0) + table.sum(axis=1)) > 0
        scores.append(
            float(
                (2 * np.diag(table) / np.maximum(table.sum(axis=0) + table.sum(axis=1), 1))[
                    present
                ].mean()
            )
        )
    low, high = np.quantile(scores, [0.025, 0.975])
    return float(low), float(high)


def _confidence(
    logits: Floats, labels: Ints, folds: Ints, names: list[str], config: CalibrationConfig
) -> Document:
    chances = np.zeros(logits.shape, dtype=np.float64)
    alone = np.zeros(len(labels), dtype=bool)
    covered = np.zeros(len(labels), dtype=bool)
    sizes = np.zeros(len(labels))
    for fold in np.unique(folds):
        inside = folds == fold
        other = ~inside if (~inside).any() else inside
        fitted = fit_calibration(logits[other], labels[other], config)
        chances[inside] = fitted(logits[inside])
        alone[inside] = chances[inside].max(axis=1) >= fitted.review_threshold
        chosen = genre_sets(chances[inside], fitted.quantile)
        covered[inside] = chosen[np.arange(inside.sum()), labels[inside]]
        sizes[inside] = chosen.sum(axis=1)
    right = chances.argmax(axis=1) == labels
    return {
        "answers": chances.argmax(axis=1),
        "ece": calibration_error(chances, labels, config.bins),
        "ece_uncalibrated": calibration_error(softmax(logits, axis=1), labels, config.bins),
        "reliability": [asdict(row) for row in reliability(chances, labels, config.bins)],
        "review": {
            "wanted_precision": config.precision,
            "share_left_alone": float(alone.mean()),
            "precision_left_alone": float(right[alone].mean()) if alone.any() else None,
        },
        "conformal": {
            "wanted_coverage": config.coverage,
            "coverage": float(covered.mean()),
            "mean_set_size": float(sizes.mean()),
            "coverage_per_class": {
                name: float(covered[labels == i].mean())
                for i, name in enumerate(names)
                if (labels == i).any()
            },
        },
    }


def confident_mistakes(
    logits: Floats,
    labels: Ints,
    label_names: Sequence[str],
    titles: Sequence[str],
    texts: Sequence[str],
    *,
    count: int = 40,
) -> list[Document]:
    """The wrong rows with the highest confidence; they quote the data and stay in the run folder."""
    chances = softmax(logits, axis=1)
    found = chances.argmax(axis=1)
    wrong = np.flatnonzero(found != labels)
    order = wrong[np.argsort(-chances[wrong].max(axis=1), kind="stable")][:count]
    return [
        {
            "title": titles[row],
            "label": label_names[labels[row]],
            "predicted": label_names[found[row]],
            "confidence": float(chances[row].max()),
            "text": texts[row][:300],
        }
        for row in order
    ]
