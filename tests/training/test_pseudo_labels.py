from pathlib import Path

import numpy as np
import pytest

from training.config import TeachingConfig
from training.ensemble.pseudo_labels import PseudoLabels, select_pseudo_labels

OPINION = np.random.default_rng(7).normal(size=(200, 3)) * 3.0
SHARE = np.array([0.8, 0.15, 0.05])


def test_every_label_gets_the_texts_the_experts_are_surest_of() -> None:
    taught = select_pseudo_labels(OPINION, np.ones(3) / 3, TeachingConfig(rows_per_class=10))
    best = OPINION.argmax(axis=1)
    assert np.bincount(best[taught.rows]).tolist() == [10, 10, 10]


def test_soft_labels_sum_to_one() -> None:
    taught = select_pseudo_labels(OPINION, SHARE, TeachingConfig())
    assert taught.targets.sum(axis=1) == pytest.approx(np.ones(len(taught.rows)), abs=1e-5)


def test_the_tilt_favours_rare_labels() -> None:
    plain = select_pseudo_labels(OPINION, SHARE, TeachingConfig(tilt=0.0))
    tilted = select_pseudo_labels(OPINION, SHARE, TeachingConfig(tilt=1.0))
    assert tilted.targets[:, 2].sum() > plain.targets[:, 2].sum()


def test_without_extra_texts_nothing_is_taught(tmp_path: Path) -> None:
    taught = select_pseudo_labels(OPINION[:0], SHARE, TeachingConfig())
    taught.save(tmp_path / "taught.npz")
    loaded = PseudoLabels.load(tmp_path / "taught.npz")
    assert loaded.targets.shape == (0, 3)
