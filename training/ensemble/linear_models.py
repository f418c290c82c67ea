"""The linear and kernel models of the ensemble, which collapse into one.

A model's scores are ``tfidf @ word_weights + kernel @ dual_coefficients + bias``, where ``kernel``
is the RBF kernel between the text's mean word vector and those of training texts. A weighted sum of
such models has the same form, so that five cost the server as much as one.
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
from training.features.char_ngrams import char_ngram_features
from training.features.tfidf import document_vectors, unit_rows

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]

SCORE_SCALES = {
    "word_svm": 8.0,
    "word_svm_extra": 6.0,
    "char_svm": 6.0,
    "rbf_svm": 3.0,
    "kernel_ridge": 4.0,
}
"""Factors that turn scores into log odds, measured out of fold, for pseudo-labels only.

The weights of the exported sum are fitted.
"""


@dataclass(frozen=True, kw_only=True)
class Member:
    """The parameters of one model, or of a weighted sum of models."""

    word_weights: Floats  # [tokens, K]
    bias: Floats  # [K]
    dual_coefficients: Floats  # [centres, K]


@dataclass(frozen=True, kw_only=True)
class LinearModels:
    """The models and the kernel space that they share."""

    mean_vector: Floats  # [D] mean of the unit document vectors
    centres: Floats  # [M, D] document vectors of training texts
    gamma: float
    members: Mapping[str, Member]

    def scores(self, features: csr_matrix, vectors: Floats) -> Floats:
        """float64 [members, N, K] of TF-IDF rows [N, tokens]; ``vectors`` [tokens, D]."""
        documents = document_vectors(features, vectors, self.mean_vector)
        kernel = rbf_kernel(documents, self.centres, self.gamma)
        return np.stack(
            [
                features @ member.word_weights + kernel @ member.dual_coefficients + member.bias
                for member in self.members.values()
            ]
        )

    def collapse(self, weights: Floats) -> "LinearModels":
        """The weighted sum of the members as a single member ``sum``, which has the same scores.

        Centres that only members of weight 0 use are dropped.
        """
        pairs = list(zip(weights, self.members.values(), strict=True))
        dual = np.sum([weight * member.dual_coefficients for weight, member in pairs], axis=0)
        used = dual.any(axis=1)
        total = Member(
            word_weights=np.sum([weight * member.word_weights for weight, member in pairs], axis=0),
            bias=np.sum([weight * member.bias for weight, member in pairs], axis=0),
            dual_coefficients=dual[used],
        )
        return replace(self, centres=self.centres[used], members={"sum": total})

    def save(self, path: Path) -> None:
        """Write one npz file."""
        arrays: dict[str, Floats] = {
            f"{name}.{part}": np.asarray(getattr(member, part), dtype=np.float32)
            for name, member in self.members.items()
            for part in ("word_weights", "bias", "dual_coefficients")
        }
        arrays |= {
            "mean_vector": self.mean_vector,
            "centres": self.centres,
            "gamma": np.array(self.gamma),
        }
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @staticmethod
    def load(path: Path) -> "LinearModels":
        """Read what ``save`` wrote."""
        with np.load(path) as arrays:
            names = [key.removesuffix(".bias") for key in arrays.files if key.endswith(".bias")]
            return LinearModels(
                mean_vector=arrays["mean_vector"],
                centres=arrays["centres"],
                gamma=float(arrays["gamma"]),
                members={
                    name: Member(
                        word_weights=arrays[f"{name}.word_weights"],
                        bias=arrays[f"{name}.bias"],
                        dual_coefficients=arrays[f"{name}.dual_coefficients"],
                    )
                    for name in names
                },
            )


@dataclass(frozen=True, kw_only=True)
class LabelledFeatures:
    """TF-IDF rows [N, tokens] with their label positions [N]; -1: a label unknown to the data."""

    features: csr_matrix
    labels: Ints


def fit_linear_models(
    data: LabelledFeatures,
    extra: LabelledFeatures,
    vectors: Floats,
    char_ngrams: csr_matrix,
    classes: int,
    config: LinearModelsConfig,
) -> LinearModels:
    """Fit the members on the data and on the selected extra rows.

    Args:
        data: labelled rows.
        extra: rows whose labels are readers' tags.
        vectors: unit word vectors [tokens, D].
        char_ngrams: [tokens, n-grams], from ``char_ngram_matrix``.
        classes: K.
        config: regularisation, kernel and limits.
    """
    selected = select_confident(data, extra, vectors, char_ngrams, classes, config)
    features = vstack([data.features, extra.features[selected]]).tocsr()
    labels = np.concatenate([data.labels, extra.labels[selected]])
    weights = np.repeat([1.0, config.extra_weight], [len(data.labels), len(selected)])
    mean_vector = unit_rows(features @ vectors).mean(axis=0)
    centres = document_vectors(features, vectors, mean_vector).astype(np.float16).astype(np.float32)
    no_kernel = np.zeros((len(labels), classes))
    chars = char_ngram_features(features, char_ngrams)
    coefficients, bias = _fit_linear_svm(
        chars.features, labels, classes, config.char_svm_c, weights
    )
    members = {
        "char_svm": Member(
            word_weights=chars.to_word_weights(coefficients), bias=bias, dual_coefficients=no_kernel
        )
    }
    coefficients, bias = _fit_linear_svm(data.features, data.labels, classes, config.word_svm_c)
    members["word_svm"] = Member(word_weights=coefficients, bias=bias, dual_coefficients=no_kernel)
    if len(selected):
        coefficients, bias = _fit_linear_svm(features, labels, classes, config.word_svm_c, weights)
        members["word_svm_extra"] = Member(
            word_weights=coefficients, bias=bias, dual_coefficients=no_kernel
        )
    kernel = rbf_kernel(centres, centres, config.rbf_gamma)
    members["kernel_ridge"] = _fit_kernel_ridge(features, kernel, labels, weights, classes, config)
    members["rbf_svm"] = _fit_rbf_svms(kernel, labels, weights, classes, features.shape[1])
    return LinearModels(
        mean_vector=mean_vector, centres=centres, gamma=config.rbf_gamma, members=members
    )


def select_confident(
    data: LabelledFeatures,
    extra: LabelledFeatures,
    vectors: Floats,
    char_ngrams: csr_matrix,
    classes: int,
    config: LinearModelsConfig,
) -> Ints:
    """Select extra rows whose tag agrees with three models, the most confident per label.

    Readers' tags are often wrong; those that the models agree with are more reliable.

    Returns: positions among the extra rows.
    """
    if not len(extra.labels) or config.max_extra_rows_per_class == 0:
        return np.zeros(0, dtype=np.int64)
    mean_vector = unit_rows(data.features @ vectors).mean(axis=0)
    data_vectors = document_vectors(data.features, vectors, mean_vector)
    extra_vectors = document_vectors(extra.features, vectors, mean_vector)
    chars = char_ngram_features(data.features, char_ngrams)
    words, word_bias = _fit_linear_svm(data.features, data.labels, classes, config.word_svm_c)
    coefficients, char_bias = _fit_linear_svm(
        chars.features, data.labels, classes, config.char_svm_c
    )
    kernel = rbf_kernel(data_vectors, data_vectors, config.rbf_gamma)
    rbf = _fit_rbf_svms(kernel, data.labels, np.ones(len(data.labels)), classes, 1)
    extra_kernel = rbf_kernel(extra_vectors, data_vectors, config.rbf_gamma)
    scores = (
        4.0 * (extra.features @ words + word_bias),
        4.0 * (extra.features @ chars.to_word_weights(coefficients) + char_bias),
        3.0 * (extra_kernel @ rbf.dual_coefficients + rbf.bias),
    )
    prior = np.maximum(np.bincount(data.labels, minlength=classes), 0.5) / len(data.labels)
    probabilities = np.mean([_softmax(score) for score in scores], axis=0)
    probabilities = _softmax(
        np.log(probabilities + 1e-9) - config.logit_adjustment_tau * np.log(prior)
    )
    agrees = probabilities.argmax(axis=1) == extra.labels
    selected = []
    for label in range(classes):
        rows = np.flatnonzero(agrees & (extra.labels == label))
        by_confidence = np.argsort(-probabilities[rows, label], kind="stable")
        selected.append(rows[by_confidence[: config.max_extra_rows_per_class]])
    return np.concatenate(selected)


def rbf_kernel(vectors: Floats, centres: Floats, gamma: float) -> Floats:
    """exp(-gamma x squared distance) of unit vectors [N, D] and [M, D] → [N, M]."""
    return np.asarray(np.exp(-gamma * (2.0 - 2.0 * vectors @ centres.T)))


def _fit_linear_svm(
    features: csr_matrix,
    labels: Ints,
    classes: int,
    c: float,
    weights: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Coefficients [features, K] and bias [K] of a linear SVM, one class against the rest."""
    svm = LinearSVC(C=c, class_weight="balanced", random_state=0)
    svm.fit(features, labels, sample_weight=weights)
    coefficients, bias = svm.coef_, svm.intercept_
    if len(svm.classes_) == 2:
        coefficients = np.vstack([-coefficients, coefficients])
        bias = np.concatenate([-bias, bias])
    # A label without training rows scores -1, the negative side of the margin.
    all_coefficients = np.zeros((classes, features.shape[1]))
    all_bias = np.full(classes, -1.0)
    all_coefficients[svm.classes_], all_bias[svm.classes_] = coefficients, bias
    return all_coefficients.T, all_bias


def _fit_kernel_ridge(
    features: csr_matrix,
    rbf: Floats,
    labels: Ints,
    weights: Floats,
    classes: int,
    config: LinearModelsConfig,
) -> Member:
    """Kernel ridge regression on ±1 per label, with the sum of an RBF and a linear word kernel."""
    counts = np.bincount(labels, weights=weights, minlength=classes)
    row_weights = weights * np.maximum(counts, 1e-6)[labels] ** -config.class_weight_power
    row_weights = row_weights / row_weights.mean()
    linear = np.asarray((features @ features.T).todense())
    kernel = (
        rbf
        + config.linear_kernel_weight * linear
        + config.ridge_penalty * np.diag(1.0 / row_weights)
    )
    targets = np.where(labels[:, None] == np.arange(classes)[None, :], 1.0, -1.0)
    dual = np.linalg.solve(kernel, targets)
    return Member(
        word_weights=config.linear_kernel_weight * (features.T @ dual),
        bias=np.zeros(classes),
        dual_coefficients=dual,
    )


def _fit_rbf_svms(
    kernel: Floats, labels: Ints, weights: Floats, classes: int, tokens: int
) -> Member:
    """One support vector machine per label with the RBF kernel."""
    dual, bias = np.zeros((len(labels), classes)), np.full(classes, -1.0)
    for label in np.unique(labels):
        svm = SVC(C=3.0, kernel="precomputed", class_weight="balanced")
        svm.fit(kernel, labels == label, sample_weight=weights)
        dual[svm.support_, label] = svm.dual_coef_[0]
        bias[label] = svm.intercept_[0]
    return Member(word_weights=np.zeros((tokens, classes)), bias=bias, dual_coefficients=dual)


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
