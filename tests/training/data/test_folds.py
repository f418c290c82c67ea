import numpy as np

from training.data.folds import assign_folds, near_duplicates, usable_folds, validation_mask


def _rows(count: int) -> tuple[list[str], np.ndarray]:
    texts = [f"word{i} thing{i * 7} matter{i * 13}" for i in range(count)]
    return texts, np.arange(count) % 3


def test_every_label_is_spread_evenly_over_the_folds() -> None:
    texts, labels = _rows(90)
    folds = assign_folds(texts, labels, np.arange(90), 5, 7)
    for label in range(3):
        assert np.bincount(folds[labels == label]).tolist() == [6, 6, 6, 6, 6]


def test_the_fold_of_a_row_depends_on_its_text_and_not_on_its_position() -> None:
    texts, labels = _rows(60)
    folds = assign_folds(texts, labels, np.arange(60), 5, 7)
    order = np.random.default_rng(1).permutation(60)
    shuffled = assign_folds([texts[i] for i in order], labels[order], np.arange(60), 5, 7)
    assert shuffled.tolist() == folds[order].tolist()


def test_another_seed_gives_another_split() -> None:
    texts, labels = _rows(60)
    first = assign_folds(texts, labels, np.arange(60), 5, 7)
    assert first.tolist() != assign_folds(texts, labels, np.arange(60), 5, 8).tolist()


def test_near_duplicates_share_a_fold() -> None:
    texts, labels = _rows(60)
    texts[41] = f"{texts[3]} tail"
    labels[41] = labels[3]
    groups = near_duplicates(texts)
    assert groups[41] == groups[3]
    assert len(set(groups.tolist())) == 59
    folds = assign_folds(texts, labels, groups, 5, 7)
    assert folds[41] == folds[3]


def test_a_rare_label_lowers_the_number_of_folds() -> None:
    labels = np.array([0] * 20 + [1] * 3)
    assert usable_folds(labels, np.arange(23), 5) == 3
    assert usable_folds(np.array([0] * 20 + [1]), np.arange(21), 5) == 2


def test_rare_labels_have_no_validation_rows() -> None:
    texts = [f"word{i}" for i in range(104)]
    labels = np.array([0] * 100 + [1] * 4)
    mask = validation_mask(texts, labels, 0.1, 7)
    assert 8 <= mask.sum() <= 12
    assert not mask[100:].any()
