"""Metrics on out-of-fold predictions, as one document of JSON values.

Calibrated metrics are cross-fitted: each fold is calibrated on the other folds, so that no row is
evaluated with a temperature or a threshold that was fitted on it.
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
    conformal_sets,
    fit_calibration,
    reliability_bins,
)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]
Document = dict[str, Any]

_MIN_ROWS_FOR_F1 = 10


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
    """Compute all metrics.

    Args:
        logits: out of fold [N, K].
        labels: label positions [N].
        folds: the fold of each row [N].
        label_names: [K].
        config: target precision and coverage, number of confidence bins.
        seed: of the bootstrap.
        groups: masks [N] of rows for which metrics are computed separately as well.
    """
    calibrated = _calibrated_metrics(logits, labels, folds, list(label_names), config)
    predicted = np.array(calibrated.pop("predicted"), dtype=np.int64)
    names = list(label_names)
    positions = range(len(names))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=positions, zero_division=0.0
    )
    per_fold = [
        macro_f1(labels[folds == fold], predicted[folds == fold]) for fold in np.unique(folds)
    ]
    return {
        "rows": len(labels),
        "labels": names,
        "macro_f1": macro_f1(labels, predicted),
        "macro_f1_interval": list(bootstrap_interval(labels, predicted, seed=seed)),
        "macro_f1_per_fold": per_fold,
        "accuracy": float((predicted == labels).mean()),
        "per_class": {
            name: {
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
                "rows": int(support[i]),
            }
            for i, name in enumerate(names)
        },
        "confusion": confusion_matrix(labels, predicted, labels=positions).tolist(),
        "groups": {
            name: _group_metrics(labels, predicted, rows, names)
            for name, rows in (groups or {}).items()
        },
        **calibrated,
    }


def _group_metrics(
    labels: Ints, predicted: Ints, rows: npt.NDArray[np.bool_], names: Sequence[str]
) -> Document:
    """Metrics of some rows. F1 is left out for labels with fewer than 10 of them."""
    labels, predicted = labels[rows], predicted[rows]
    counts = np.bincount(labels, minlength=len(names))
    scores = {
        name: class_f1(labels, predicted, index)
        for index, name in enumerate(names)
        if counts[index] >= _MIN_ROWS_FOR_F1
    }
    return {
        "rows": len(labels),
        "accuracy": float((predicted == labels).mean()) if len(labels) else None,
        "f1": scores,
        "macro_f1": float(np.mean(list(scores.values()))) if scores else None,
    }


def macro_f1(labels: Ints, predicted: Ints) -> float:
    """Mean of the classes' F1 scores."""
    return float(f1_score(labels, predicted, average="macro", zero_division=0.0))


def class_f1(labels: Ints, predicted: Ints, label: int) -> float:
    """F1 of one label against the rest."""
    return float(f1_score(labels == label, predicted == label, zero_division=0.0))


def bootstrap_interval(
    labels: Ints, predicted: Ints, *, seed: int, rounds: int = 1000
) -> tuple[float, float]:
    """95 % percentile interval of macro-F1 when the rows are resampled with replacement."""
    random = np.random.default_rng(seed)
    classes = int(max(labels.max(), predicted.max())) + 1
    pairs = labels * classes + predicted
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


def _calibrated_metrics(
    logits: Floats, labels: Ints, folds: Ints, names: list[str], config: CalibrationConfig
) -> Document:
    probabilities = np.zeros(logits.shape, dtype=np.float64)
    accepted = np.zeros(len(labels), dtype=bool)  # needs no review
    covered = np.zeros(len(labels), dtype=bool)
    sizes = np.zeros(len(labels))
    for fold in np.unique(folds):
        inside = folds == fold
        other = ~inside if (~inside).any() else inside
        calibration = fit_calibration(logits[other], labels[other], config)
        probabilities[inside] = calibration(logits[inside])
        accepted[inside] = probabilities[inside].max(axis=1) >= calibration.review_threshold
        sets = conformal_sets(probabilities[inside], calibration.quantile)
        covered[inside] = sets[np.arange(inside.sum()), labels[inside]]
        sizes[inside] = sets.sum(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    return {
        "predicted": probabilities.argmax(axis=1),
        "ece": calibration_error(probabilities, labels, config.bins),
        "ece_uncalibrated": calibration_error(softmax(logits, axis=1), labels, config.bins),
        "reliability": [
            asdict(row) for row in reliability_bins(probabilities, labels, config.bins)
        ],
        "review": {
            "target_precision": config.precision,
            "share_without_review": float(accepted.mean()),
            "precision_without_review": float(correct[accepted].mean()) if accepted.any() else None,
        },
        "conformal": {
            "target_coverage": config.coverage,
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
    """The misclassified rows with the highest confidence, with quotations of the data."""
    probabilities = softmax(logits, axis=1)
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    order = wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")][:count]
    return [
        {
            "title": titles[row],
            "label": label_names[labels[row]],
            "predicted": label_names[predicted[row]],
            "confidence": float(probabilities[row].max()),
            "text": texts[row][:300],
        }
        for row in order
    ]
