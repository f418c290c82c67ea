"""Baselines: TF-IDF with a linear classifier."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

Ints = npt.NDArray[np.int64]


def _tfidf(texts: Sequence[str]) -> TfidfVectorizer:
    # Split at whitespace only, as the model does.
    return TfidfVectorizer(
        ngram_range=(1, 2),
        sublinear_tf=True,
        token_pattern=r"\S+",
        lowercase=False,
        min_df=2 if len(texts) > 500 else 1,
    )


def tfidf_svm(texts: Sequence[str], labels: Ints) -> Pipeline:
    """Fit a linear support vector machine on TF-IDF of one- and two-word n-grams."""
    return make_pipeline(_tfidf(texts), LinearSVC(C=0.5, class_weight="balanced")).fit(
        texts, labels
    )


def tfidf_logistic(texts: Sequence[str], labels: Ints) -> Pipeline:
    """Fit a logistic regression on TF-IDF of one- and two-word n-grams."""
    return make_pipeline(
        _tfidf(texts), LogisticRegression(C=30.0, max_iter=2000, class_weight="balanced")
    ).fit(texts, labels)


BASELINES = {"tfidf_svm": tfidf_svm, "tfidf_logistic": tfidf_logistic}
