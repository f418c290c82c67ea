from pathlib import Path

import numpy as np
import pytest

from training.config import PseudoLabelsConfig
from training.ensemble.pseudo_labels import PseudoLabels, select_pseudo_labels

LOGITS = np.random.default_rng(7).normal(size=(200, 3)) * 3.0
PRIOR = np.array([0.8, 0.15, 0.05])


def test_each_label_gets_its_most_confident_texts() -> None:
    pseudo = select_pseudo_labels(LOGITS, np.ones(3) / 3, PseudoLabelsConfig(max_rows_per_class=10))
    predicted = LOGITS.argmax(axis=1)
    assert np.bincount(predicted[pseudo.rows]).tolist() == [10, 10, 10]


def test_soft_labels_sum_to_one() -> None:
    pseudo = select_pseudo_labels(LOGITS, PRIOR, PseudoLabelsConfig())
    assert pseudo.targets.sum(axis=1) == pytest.approx(np.ones(len(pseudo.rows)), abs=1e-5)


def test_logit_adjustment_favours_rare_labels() -> None:
    plain = select_pseudo_labels(LOGITS, PRIOR, PseudoLabelsConfig(logit_adjustment_tau=0.0))
    adjusted = select_pseudo_labels(LOGITS, PRIOR, PseudoLabelsConfig(logit_adjustment_tau=1.0))
    assert adjusted.targets[:, 2].sum() > plain.targets[:, 2].sum()


def test_without_extra_texts_there_are_no_pseudo_labels(tmp_path: Path) -> None:
    pseudo = select_pseudo_labels(LOGITS[:0], PRIOR, PseudoLabelsConfig())
    pseudo.save(tmp_path / "pseudo.npz")
    loaded = PseudoLabels.load(tmp_path / "pseudo.npz")
    assert loaded.targets.shape == (0, 3)
