"""Computes the weights of the architectures in ``models.solved``; seconds instead of epochs."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # scipy ships none
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from training.config import TrainingConfig
from training.data import Labelled
from training.models.solved import DOCUMENT, SCORES, SUPPORT, TFIDF
from training.prepare import Prepared
from training.tfidf import counts, tfidf
from training.vectoriser import RESERVED, encode

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Learning rows first, believed extra rows behind them."""

    features: csr_matrix  # TF-IDF [N, tokens]
    labels: Ints  # [N]
    weights: Floats  # [N], 1 for a learning row


Solver = Callable[[keras.Model, Rows, Prepared, int, TrainingConfig], None]


def gather(learn: Labelled, prepared: Prepared, extra_weight: float) -> Rows:
    """The rows a member is computed from; no extra rows if they weigh nothing."""
    trusted = prepared.trusted if extra_weight > 0 else Labelled.nothing()
    texts = (*learn.texts, *trusted.texts)
    counted = counts(encode(texts, prepared.vocabulary, None), len(prepared.vocabulary) + RESERVED)
    return Rows(
        features=tfidf(counted, prepared.idf),
        labels=np.concatenate([learn.labels, trusted.labels]),
        weights=np.repeat(
            np.array([1.0, extra_weight], np.float32), [len(learn.texts), len(trusted.texts)]
        ),
    )


def solve_wide(
    model: keras.Model, rows: Rows, prepared: Prepared, classes: int, config: TrainingConfig
) -> None:
    """A linear support vector machine on words, one label against the rest."""
    machine = LinearSVC(C=config.wide.strictness, class_weight="balanced")
    machine.fit(rows.features, rows.labels, sample_weight=rows.weights)
    slopes, bias = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:
        slopes, bias = np.vstack([-slopes, slopes]), np.concatenate([-bias, bias])
    # A label without a learning row scores as the far side of the margin for every text.
    all_slopes = np.zeros((classes, rows.features.shape[1]), dtype=np.float32)
    all_bias = np.full(classes, -1.0, dtype=np.float32)
    all_slopes[machine.classes_], all_bias[machine.classes_] = slopes, bias
    model.get_layer(TFIDF).set_weights([prepared.idf])
    model.get_layer(SCORES).set_weights([all_slopes.T, all_bias])


def solve_kernel(
    model: keras.Model, rows: Rows, prepared: Prepared, classes: int, config: TrainingConfig
) -> None:
    """Kernel ridge regression on ±1 per label, rows weighted by their label's rarity."""
    settings = config.kernel
    # As float16, because the shipped model stores them so and its support rows must agree.
    vectors = normalize(prepared.vectors).astype(np.float16).astype(np.float32)
    document = normalize(rows.features @ vectors)
    mean = document.mean(axis=0)
    document = normalize(document - mean)
    share = np.bincount(rows.labels, minlength=classes) / len(rows.labels)
    weights = rows.weights * share[rows.labels] ** -settings.class_weight_power
    weights = weights / weights.mean()
    kept = support_rows(rows, settings.support_rows, seed=config.seed)
    support = document[kept].astype(np.float64)
    near = np.exp(-settings.gamma * (2.0 - 2.0 * support @ support.T))
    near[np.diag_indices(len(kept))] += settings.ridge / weights[kept]
    wanted = np.where(rows.labels[kept][:, None] == np.arange(classes)[None, :], 1.0, -1.0)
    model.get_layer(TFIDF).set_weights([prepared.idf])
    model.get_layer(DOCUMENT).set_weights([vectors, mean])
    model.get_layer(SUPPORT).set_weights([support.astype(np.float32)])
    model.get_layer(SCORES).set_weights([np.linalg.solve(near, wanted).astype(np.float32)])


def support_rows(rows: Rows, limit: int, *, seed: int) -> Ints:
    """The rows a kernel keeps, in order: all, or a seeded draw, because time grows with the cube."""
    count = len(rows.labels)
    if count <= limit:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, limit, replace=False))


SOLVERS: dict[str, Solver] = {
    "wide": solve_wide,
    "kernel": solve_kernel,
}
