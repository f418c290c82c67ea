"""What any neural model has to beat: TF-IDF with a linear classifier."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


def _tfidf() -> TfidfVectorizer:
    # Cleaned text is split at its spaces and nothing else, as in the models' own graph.
    return TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+", lowercase=False
    )


def tfidf_svm(texts: Sequence[str], labels: Ints) -> Pipeline:
    """One- and two-word TF-IDF with a linear support vector machine, fitted."""
    return make_pipeline(_tfidf(), LinearSVC(class_weight="balanced")).fit(texts, labels)


def tfidf_logistic(texts: Sequence[str], labels: Ints) -> Pipeline:
    """One- and two-word TF-IDF with logistic regression, fitted."""
    return make_pipeline(
        _tfidf(), LogisticRegression(C=30.0, max_iter=2000, class_weight="balanced")
    ).fit(texts, labels)


BASELINES = {"tfidf_svm": tfidf_svm, "tfidf_logistic": tfidf_logistic}


def probabilities(fitted: Pipeline, texts: Sequence[str], classes: int) -> Floats:
    """float32 [N, classes] of a fitted logistic regression; a class it never saw has 0."""
    result = np.zeros((len(texts), classes), dtype=np.float32)
    result[:, fitted.classes_] = fitted.predict_proba(texts)
    return result
