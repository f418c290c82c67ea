import numpy as np

from training.neural.batches import TrainingBatches, pad

ROWS = [np.full(1 + i % 40, 2 + i % 5, np.int32) for i in range(200)]
TARGETS = np.eye(2, dtype=np.float32)[[0] * 180 + [1] * 20]
WEIGHTS = np.arange(200, dtype=np.float32)


def _batches(balanced: bool = False) -> TrainingBatches:
    return TrainingBatches(ROWS, TARGETS, WEIGHTS, batch_rows=16, seed=7, balanced=balanced)


def _weights(batches: TrainingBatches) -> list[float]:
    return [float(w) for i in range(len(batches)) for w in batches[i][2]]


def test_an_epoch_has_every_row_once() -> None:
    assert sorted(_weights(_batches())) == WEIGHTS.tolist()


def test_an_epoch_depends_on_seed_and_number_only() -> None:
    first, second = _batches(), _batches()
    first.shuffle(3)
    second.shuffle(1)
    assert _weights(first) != _weights(second)
    second.shuffle(3)
    assert _weights(first) == _weights(second)


def test_rows_of_similar_length_share_a_batch() -> None:
    batches = _batches()
    cells = sum(batches[i][0].size for i in range(len(batches)))
    assert cells < 1.5 * sum(len(row) for row in ROWS)


def test_balanced_batches_draw_rare_labels_as_often() -> None:
    batches = _batches(balanced=True)
    rare = sum(int(batches[i][1][:, 1].sum()) for i in range(len(batches)))
    assert 70 <= rare <= 130


def test_batches_may_differ_in_width_after_equal_ones() -> None:
    rows = [np.full(30 if i < 150 else 9, 2, np.int32) for i in range(200)]
    batches = TrainingBatches(rows, TARGETS, WEIGHTS, batch_rows=8, seed=7)
    widths = {int(tokens.shape[1]) for tokens, _, _ in batches.dataset()}
    assert widths == {9, 30}


def test_the_dataset_has_the_batches_of_the_shuffled_epoch() -> None:
    batches = _batches()
    dataset = batches.dataset()
    batches.shuffle(3)
    drawn = [float(w) for _, _, weights in dataset for w in weights]
    assert drawn == _weights(batches)


def test_padding_keeps_at_least_one_column() -> None:
    assert pad([np.zeros(0, np.int32)]).shape == (1, 1)
