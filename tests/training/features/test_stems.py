from pathlib import Path

import numpy as np

from training.config import TrainingConfig
from training.data.dataset import NO_EXTRA_TEXTS, LabelledTexts
from training.features.fold_artifacts import build_artifacts
from training.features.stems import add_stem_vectors, extend_by_stem
from training.features.vectoriser import RESERVED

TEXTS = ["murderer dragon", "murderers murdering castle", "murderers quest"]


def test_rare_words_with_the_stem_of_a_known_word_are_appended_by_frequency() -> None:
    extended = extend_by_stem(("murder",), TEXTS, size=100)
    assert extended == ("murder", "murderers", "murderer", "murdering")


def test_the_extended_vocabulary_keeps_its_size_limit() -> None:
    assert extend_by_stem(("murderer",), TEXTS, size=1 + RESERVED) == ("murderer",)


def test_a_word_without_a_vector_gets_the_mean_of_its_stem() -> None:
    vectors = {
        "dragon": np.array([1.0, 0.0], np.float32),
        "dragons": np.array([0.0, 1.0], np.float32),
        "sea": np.array([9.0, 9.0], np.float32),
    }
    extended = add_stem_vectors(vectors, ["dragon", "dragoned", "quest"])
    assert extended["dragoned"].tolist() == [0.5, 0.5]
    assert extended["dragon"] is vectors["dragon"]
    assert "quest" not in extended
    assert extended["dragoned"].dtype == np.float32


def test_stem_fallback_gives_rare_words_a_place_in_the_vocabulary(tmp_path: Path) -> None:
    texts = ("dragon castle dragon", "dragon dragons castle", "castle murder murder murder") * 2
    rows = LabelledTexts(texts=(*texts, "dragoned"), labels=np.array([0, 0, 1, 0, 0, 1, 0]))
    config = TrainingConfig.model_validate(
        {
            "text": {"min_count": 3, "stem_fallback": True},
            "embedding": {"dimensions": 4, "epochs": 1, "subsample": 0.0},
        }
    )
    artifacts = build_artifacts(rows, NO_EXTRA_TEXTS, ("fantasy", "crime"), config, tmp_path)
    positions = [
        artifacts.vocabulary.index(w) + RESERVED for w in ("dragon", "dragons", "dragoned")
    ]
    own, *fallbacks = artifacts.unit_vectors[positions]
    assert all(np.array_equal(vector, own) for vector in fallbacks)
