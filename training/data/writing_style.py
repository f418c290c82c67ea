"""Classifies texts as plots or blurbs by their function words.

Where style and label correlate, a model may have learned the style, so F1 is reported per style too.
Function words such as "you" and "if" do not reveal the label.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags  # type: ignore[import-untyped]  # scipy ships none
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from catalogue.text.stop_words import STOP_WORDS
from training.config import StylesConfig

_SIGNS = "!?:;\"'“”…–—-"
_MIN_KNOWN = 20

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Styles:
    """Which rows are plots; the others are blurbs."""

    plot: Flags  # [N]
    accuracy: float  # balanced accuracy on rows of known style, out of fold

    @property
    def groups(self) -> dict[str, Flags]:
        """The rows of each style."""
        return {"plot": self.plot, "blurb": ~self.plot}


def detect_styles(
    summaries: Sequence[str], labels: Sequence[str], config: StylesConfig
) -> Styles | None:
    """The style of each row: from its label if that determines it, else classified.

    ``summaries`` are not cleaned. None if fewer than 20 rows of either style are known.
    """
    known_plot = np.isin(labels, config.plot)
    known = known_plot | np.isin(labels, config.blurb)
    if min(known_plot.sum(), (known & ~known_plot).sum()) < _MIN_KNOWN:
        return None
    rates = _function_word_rates(summaries)
    classifier = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    held_out = cross_val_predict(classifier, rates[known], known_plot[known], cv=folds)
    right = held_out == known_plot[known]
    predicted = classifier.fit(rates[known], known_plot[known]).predict(rates)
    return Styles(
        plot=np.where(known, known_plot, predicted),
        accuracy=float(
            np.mean([right[known_plot[known]].mean(), right[~known_plot[known]].mean()])
        ),
    )


def _function_word_rates(summaries: Sequence[str]) -> csr_matrix:
    """Square roots of occurrences per word, [N, function words and signs]."""
    counted = CountVectorizer(
        token_pattern=rf"[a-z]+|[{_SIGNS}]", vocabulary=sorted(STOP_WORDS | set(_SIGNS))
    ).transform(summaries)
    words = np.array([max(1, len(summary.split())) for summary in summaries])
    return (diags(1.0 / words) @ counted.astype(np.float64)).sqrt().tocsr()
