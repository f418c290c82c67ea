import numpy as np

from training.features.vectoriser import UNKNOWN, build_vectoriser, build_vocabulary, encode


def test_the_vocabulary_is_ordered_by_frequency_then_spelling() -> None:
    texts = ["b a c", "b a", "b d"]
    assert build_vocabulary(texts, size=100, min_count=1) == ("b", "a", "c", "d")
    assert build_vocabulary(texts, size=4, min_count=1) == ("b", "a")
    assert build_vocabulary(texts, size=100, min_count=2) == ("b", "a")


def test_a_batch_is_padded_to_its_longest_text_only() -> None:
    layer = build_vectoriser(["dragon", "castle"])
    assert np.asarray(layer(np.array(["dragon castle dragon", "castle"]))).tolist() == [
        [2, 3, 2],
        [3, 0, 0],
    ]


def test_the_layer_does_not_clean() -> None:
    layer = build_vectoriser(["dragon"])
    assert np.asarray(layer(np.array(["Dragon dragon, dragon"]))).tolist() == [
        [UNKNOWN, UNKNOWN, 2]
    ]


def test_encoded_rows_are_unpadded_and_cut() -> None:
    rows = encode(["dragon castle dragon", "", "qqq"], ["dragon", "castle"], 2)
    assert [row.tolist() for row in rows] == [[2, 3], [], [UNKNOWN]]
