"""Five linear and kernel models of the whole text, which collapse into one.

The score of a member is ``tfidf @ word + near @ alpha + bias``, where ``near`` is the RBF kernel
between the text's mean word vector and training texts. A weighted sum of members has the same form,
so five models cost the server as much as one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, vstack  # type: ignore[import-untyped]  # scipy ships none
from sklearn.svm import SVC, LinearSVC

from training.config import LinearModelsConfig
from training.features.char_ngrams import spelled_features
from training.features.tfidf import document_vectors, unit_rows

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]

SCORE_SCALES = {"words": 8.0, "words_extra": 6.0, "spelling": 6.0, "neighbours": 3.0, "kernel": 4.0}
"""Factors that turn scores into log odds, measured out of fold. They are used for pseudo-labels only;
the weights of the exported sum are fitted."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """The parameters of one model, or of a weighted sum of models."""

    word: Floats  # [tokens, K]
    bias: Floats  # [K]
    alpha: Floats  # [centres, K]


@dataclass(frozen=True, kw_only=True)
class LinearModels:
    """The models and the kernel space that they share."""

    mean: Floats  # [D] mean of the unit document vectors
    centres: Floats  # [M, D] document vectors of training texts
    gamma: float
    members: Mapping[str, Member]

    def scores(self, features: csr_matrix, vectors: Floats) -> Floats:
        """float64 [members, N, K] of TF-IDF rows [N, tokens]."""
        near = nearness(document_vectors(features, vectors, self.mean), self.centres, self.gamma)
        return np.stack(
            [features @ m.word + near @ m.alpha + m.bias for m in self.members.values()]
        )

    def collapse(self, weights: Floats) -> "LinearModels":
        """The weighted sum of the members as a single member ``sum``, which has the same scores.

        Centres that only members of weight 0 use are dropped.
        """
        pairs = list(zip(weights, self.members.values(), strict=True))
        alpha = np.sum([weight * m.alpha for weight, m in pairs], axis=0)
        used = alpha.any(axis=1)
        total = Member(
            word=np.sum([weight * m.word for weight, m in pairs], axis=0),
            bias=np.sum([weight * m.bias for weight, m in pairs], axis=0),
            alpha=alpha[used],
        )
        return replace(self, centres=self.centres[used], members={"sum": total})

    def save(self, path: Path) -> None:
        """One npz file."""
        arrays: dict[str, Floats] = {
            f"{name}.{part}": np.asarray(getattr(member, part), dtype=np.float32)
            for name, member in self.members.items()
            for part in ("word", "bias", "alpha")
        }
        arrays |= {"mean": self.mean, "centres": self.centres, "gamma": np.array(self.gamma)}
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @staticmethod
    def load(path: Path) -> "LinearModels":
        """What ``save`` wrote."""
        with np.load(path) as found:
            names = [key.removesuffix(".word") for key in found.files if key.endswith(".word")]
            return LinearModels(
                mean=found["mean"],
                centres=found["centres"],
                gamma=float(found["gamma"]),
                members={
                    name: Member(
                        word=found[f"{name}.word"],
                        bias=found[f"{name}.bias"],
                        alpha=found[f"{name}.alpha"],
                    )
                    for name in names
                },
            )


@dataclass(frozen=True, kw_only=True)
class Rows:
    """TF-IDF rows [N, tokens] with their label positions [N]."""

    features: csr_matrix
    labels: Ints


def fit_linear_models(
    learn: Rows,
    extra: Rows,
    vectors: Floats,
    spelling: csr_matrix,
    classes: int,
    config: LinearModelsConfig,
) -> LinearModels:
    """Fit the members on the training rows and the selected extra rows.

    ``vectors``: unit word vectors [tokens, D]; ``spelling``: [tokens, letter groups].
    """
    kept = select_confident(learn, extra, vectors, spelling, classes, config)
    both = vstack([learn.features, extra.features[kept]]).tocsr()
    labels = np.concatenate([learn.labels, extra.labels[kept]])
    weights = np.repeat([1.0, config.extra_weight], [len(learn.labels), len(kept)])
    mean = unit_rows(both @ vectors).mean(axis=0)
    centres = document_vectors(both, vectors, mean).astype(np.float16).astype(np.float32)
    none = np.zeros((len(labels), classes))
    spelled = spelled_features(both, spelling)
    slopes, bias = _linear(spelled.features, labels, classes, config.spelling_strictness, weights)
    members = {"spelling": Member(word=spelled.per_word(slopes), bias=bias, alpha=none)}
    word, bias = _linear(learn.features, learn.labels, classes, config.word_strictness)
    members["words"] = Member(word=word, bias=bias, alpha=none)
    if len(kept):
        word, bias = _linear(both, labels, classes, config.word_strictness, weights)
        members["words_extra"] = Member(word=word, bias=bias, alpha=none)
    near = nearness(centres, centres, config.gamma)
    members["kernel"] = _ridge(both, near, labels, weights, classes, config)
    members["neighbours"] = _neighbours(near, labels, weights, classes, both.shape[1])
    return LinearModels(mean=mean, centres=centres, gamma=config.gamma, members=members)


def select_confident(
    learn: Rows,
    extra: Rows,
    vectors: Floats,
    spelling: csr_matrix,
    classes: int,
    config: LinearModelsConfig,
) -> Ints:
    """Select the extra rows whose tag agrees with three models, the most confident per label.

    Readers' tags are often wrong; those that the models agree with are more reliable.
    """
    if not len(extra.labels) or config.extra_per_class == 0:
        return np.zeros(0, dtype=np.int64)
    mean = unit_rows(learn.features @ vectors).mean(axis=0)
    known = document_vectors(learn.features, vectors, mean)
    asked = document_vectors(extra.features, vectors, mean)
    spelled = spelled_features(learn.features, spelling)
    word, word_bias = _linear(learn.features, learn.labels, classes, config.word_strictness)
    slopes, bias = _linear(spelled.features, learn.labels, classes, config.spelling_strictness)
    near = nearness(known, known, config.gamma)
    ones = np.ones(len(learn.labels))
    voted = _neighbours(near, learn.labels, ones, classes, 1)
    opinions = (
        4.0 * (extra.features @ word + word_bias),
        4.0 * (extra.features @ spelled.per_word(slopes) + bias),
        3.0 * (nearness(asked, known, config.gamma) @ voted.alpha + voted.bias),
    )
    share = np.maximum(np.bincount(learn.labels, minlength=classes), 0.5) / len(learn.labels)
    chances = np.mean([_softmax(opinion) for opinion in opinions], axis=0)
    chances = _softmax(np.log(chances + 1e-9) - config.believe_tilt * np.log(share))
    agreed = chances.argmax(axis=1) == extra.labels
    chosen = []
    for label in range(classes):
        rows = np.flatnonzero(agreed & (extra.labels == label))
        surest = np.argsort(-chances[rows, label], kind="stable")
        chosen.append(rows[surest[: config.extra_per_class]])
    return np.concatenate(chosen)


def nearness(vectors: Floats, centres: Floats, gamma: float) -> Floats:
    """exp(-gamma x squared distance) of unit vectors [N, D] and [M, D] → [N, M]."""
    return np.asarray(np.exp(-gamma * (2.0 - 2.0 * vectors @ centres.T)))


def _linear(
    features: csr_matrix,
    labels: Ints,
    classes: int,
    strictness: float,
    weights: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Slopes [features, K] and bias [K] of a linear support vector machine, one against the rest."""
    machine = LinearSVC(C=strictness, class_weight="balanced", random_state=0)
    machine.fit(features, labels, sample_weight=weights)
    slopes, bias = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:
        slopes, bias = np.vstack([-slopes, slopes]), np.concatenate([-bias, bias])
    # A label without training rows scores -1, the far side of the margin.
    all_slopes = np.zeros((classes, features.shape[1]))
    all_bias = np.full(classes, -1.0)
    all_slopes[machine.classes_], all_bias[machine.classes_] = slopes, bias
    return all_slopes.T, all_bias


def _ridge(
    features: csr_matrix,
    near: Floats,
    labels: Ints,
    weights: Floats,
    classes: int,
    config: LinearModelsConfig,
) -> Member:
    """Kernel ridge regression on ±1 per label, with the sum of an RBF and a linear word kernel."""
    counts = np.bincount(labels, weights=weights, minlength=classes)
    rare = weights * np.maximum(counts, 1e-6)[labels] ** -config.class_weight_power
    rare = rare / rare.mean()
    shared = np.asarray((features @ features.T).todense())
    both = near + config.shared_words * shared + config.ridge * np.diag(1.0 / rare)
    wanted = np.where(labels[:, None] == np.arange(classes)[None, :], 1.0, -1.0)
    alpha = np.linalg.solve(both, wanted)
    return Member(
        word=config.shared_words * (features.T @ alpha), bias=np.zeros(classes), alpha=alpha
    )


def _neighbours(near: Floats, labels: Ints, weights: Floats, classes: int, tokens: int) -> Member:
    """One support vector machine per label with the RBF kernel."""
    alpha, bias = np.zeros((len(labels), classes)), np.full(classes, -1.0)
    for label in np.unique(labels):
        machine = SVC(C=3.0, kernel="precomputed", class_weight="balanced")
        machine.fit(near, labels == label, sample_weight=weights)
        alpha[machine.support_, label] = machine.dual_coef_[0]
        bias[label] = machine.intercept_[0]
    return Member(word=np.zeros((tokens, classes)), bias=bias, alpha=alpha)


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
