"""Classifies texts as plots or blurbs by their function words.

Where style and label correlate, a model may have learned the style, so F1 is reported per style
too. The classifier reads function words such as "you" and "if", which do not reveal the label.
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
from training.config import WritingStylesConfig

_PUNCTUATION = "!?:;\"'“”…–—-"
_MIN_ROWS = 20

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class WritingStyles:
    """The style of each row: plot or blurb."""

    is_plot: Mask  # [N]; false: a blurb
    accuracy: float  # balanced accuracy on rows of known style, out of fold

    @property
    def groups(self) -> dict[str, Mask]:
        """The rows of each style."""
        return {"plot": self.is_plot, "blurb": ~self.is_plot}


def detect_writing_styles(
    summaries: Sequence[str], labels: Sequence[str], config: WritingStylesConfig
) -> WritingStyles | None:
    """The style of each row: from its label if that determines it, else predicted.

    ``summaries`` are not cleaned. None if fewer than 20 rows of either style are known.
    """
    known_plot = np.isin(labels, config.plot)
    known = known_plot | np.isin(labels, config.blurb)
    if min(known_plot.sum(), (known & ~known_plot).sum()) < _MIN_ROWS:
        return None
    rates = _function_word_rates(summaries)
    classifier = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    out_of_fold = cross_val_predict(classifier, rates[known], known_plot[known], cv=folds)
    correct = out_of_fold == known_plot[known]
    predicted = classifier.fit(rates[known], known_plot[known]).predict(rates)
    return WritingStyles(
        is_plot=np.where(known, known_plot, predicted),
        accuracy=float(
            np.mean([correct[known_plot[known]].mean(), correct[~known_plot[known]].mean()])
        ),
    )


def _function_word_rates(summaries: Sequence[str]) -> csr_matrix:
    """Square roots of occurrences per word, [N, function words and punctuation marks]."""
    counted = CountVectorizer(
        token_pattern=rf"[a-z]+|[{_PUNCTUATION}]", vocabulary=sorted(STOP_WORDS | set(_PUNCTUATION))
    ).transform(summaries)
    words = np.array([max(1, len(summary.split())) for summary in summaries])
    return (diags(1.0 / words) @ counted.astype(np.float64)).sqrt().tocsr()
