import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import keras
import numpy as np
import pytest

from training.config import ModelConfig, StageConfig
from training.neural.architectures import build_model
from training.neural.architectures.inputs_and_head import ModelShape
from training.neural.batches import Tokens
from training.neural.callbacks import best_epoch, half_cosine, read_scores
from training.neural.layers import WordVectors
from training.neural.stage import Examples, ValidationSet, run_stage

RANDOM = np.random.default_rng(7)
LABELS = np.arange(60) % 2
ROWS = [RANDOM.integers(2 + 10 * k, 12 + 10 * k, 5).astype(np.int32) for k in LABELS]
EXAMPLES = Examples(
    rows=ROWS[:40],
    targets=np.eye(2, dtype=np.float32)[LABELS[:40]],
    weights=np.ones(40, np.float32),
)
VALIDATION: ValidationSet = (ROWS[40:], LABELS[40:])
STAGE = StageConfig(epochs=6, patience=6, batch_rows=8, learning_rate=0.01)


def _model() -> keras.Model:
    keras.utils.set_random_seed(7)
    shape = ModelShape(
        architecture="gru",
        tokens=30,
        dimensions=4,
        classes=2,
        max_tokens=9,
        settings=ModelConfig(units=4, hidden=0, word_dropout=0.0),
        seed=7,
    )
    words = WordVectors(30, 4)
    model = build_model(shape, words)
    words.set_weights([np.random.default_rng(7).normal(size=(30, 4)), np.ones(30)])
    return model


def _run(folder: Path, validation: ValidationSet | None, stage: StageConfig = STAGE) -> keras.Model:
    model = _model()
    run_stage(model, EXAMPLES, validation, stage, folder, name="test", seed=7, tensorboard=False)
    return model


@dataclass(frozen=True)
class _FinishedStage:
    folder: Path
    model: keras.Model
    epochs: int  # behind the kept weights


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> _FinishedStage:
    """A stage that ran to its end; tests only read it."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    model = _model()
    epochs = run_stage(
        model, EXAMPLES, VALIDATION, STAGE, folder, name="test", seed=7, tensorboard=False
    )
    return _FinishedStage(folder, model, epochs)


class _Interruption(Exception):
    pass


class _RowsUntilInterruption(Sequence[Tokens]):
    """Validation rows that can be read for a number of epochs."""

    def __init__(self, epochs: int) -> None:
        self._left = epochs

    @overload
    def __getitem__(self, index: int) -> Tokens: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Tokens]: ...
    def __getitem__(self, index: int | slice) -> Tokens | Sequence[Tokens]:
        return VALIDATION[0][index]

    def __len__(self) -> int:
        return len(VALIDATION[0])

    def __iter__(self) -> Iterator[Tokens]:
        self._left -= 1
        if self._left < 0:
            raise _Interruption
        return iter(VALIDATION[0])


def _same_weights(one: keras.Model, other: keras.Model) -> bool:
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(left, right) for left, right in pairs)


def _epochs_logged(folder: Path) -> list[int]:
    with (folder / "log.csv").open(newline="") as file:
        return [int(row["epoch"]) for row in csv.DictReader(file)]


def test_a_resumed_stage_equals_an_uninterrupted_one(
    uninterrupted: _FinishedStage, tmp_path: Path
) -> None:
    interrupted = (_RowsUntilInterruption(3), VALIDATION[1])
    with pytest.raises(_Interruption):
        _run(tmp_path, interrupted)
    resumed = _run(tmp_path, VALIDATION)
    assert _epochs_logged(tmp_path) == [0, 1, 2, 3, 4, 5]
    assert read_scores(tmp_path) == read_scores(uninterrupted.folder)
    for left, right in zip(uninterrupted.model.get_weights(), resumed.get_weights(), strict=True):
        assert np.allclose(left, right, atol=1e-6)


def test_a_finished_stage_is_loaded_and_not_repeated(uninterrupted: _FinishedStage) -> None:
    loaded = _run(uninterrupted.folder, (_RowsUntilInterruption(0), VALIDATION[1]))
    assert _same_weights(uninterrupted.model, loaded)


def test_training_stops_when_macro_f1_no_longer_rises(tmp_path: Path) -> None:
    _run(tmp_path, VALIDATION, STAGE.model_copy(update={"epochs": 60, "patience": 2}))
    scores = read_scores(tmp_path)
    assert len(scores) < 60
    assert max(scores) == best_epoch(scores) + 2


def test_the_best_epochs_weights_are_kept(uninterrupted: _FinishedStage) -> None:
    assert uninterrupted.epochs == best_epoch(read_scores(uninterrupted.folder)) + 1
    best = _model()
    best.load_weights(uninterrupted.folder / "best.weights.h5")
    assert _same_weights(uninterrupted.model, best)


def test_without_validation_rows_all_epochs_run(tmp_path: Path) -> None:
    _run(tmp_path, None)
    assert _epochs_logged(tmp_path) == [0, 1, 2, 3, 4, 5]
    assert read_scores(tmp_path) == {}


def test_tensorboard_logs_are_written_if_enabled(tmp_path: Path) -> None:
    run_stage(
        _model(),
        EXAMPLES,
        None,
        STAGE.model_copy(update={"epochs": 1, "loss": "focal"}),
        tmp_path,
        name="test",
        seed=7,
        tensorboard=True,
    )
    assert list((tmp_path / "tensorboard").rglob("events.*"))


def test_the_first_of_equally_good_epochs_is_the_best() -> None:
    assert best_epoch({0: 0.1, 1: 0.5, 2: 0.5}) == 1


def test_the_learning_rate_warms_up_and_falls() -> None:
    rate = half_cosine(0.01, 10)
    rates = [rate(epoch, 0.0) for epoch in range(10)]
    assert rates[0] == 0.005
    assert rates[1] == 0.01
    assert rates[1:] == sorted(rates[1:], reverse=True)
    assert rates[-1] > 0
