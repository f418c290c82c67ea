import io

import pytest
from rich.console import Console

from training.console import EpochProgress, duration

METRICS = {"loss": 0.51234, "val_macro_f1": 0.75, "learning_rate": 0.003}


def _progress(*, terminal: bool, epochs: int) -> str:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, highlight=False, width=200)
    with EpochProgress("training", 3, console=console) as progress:
        for epoch in range(epochs):
            progress.complete_epoch(epoch, METRICS)
    return output.getvalue()


def test_a_log_has_one_line_per_epoch() -> None:
    lines = _progress(terminal=False, epochs=2).splitlines()
    assert len(lines) == 2
    expected = "epoch 2 of 3, loss 0.5123, validation macro-F1 0.75, learning rate 0.003, "
    assert expected in lines[1]


def test_a_terminal_has_a_bar_and_then_one_line() -> None:
    output = _progress(terminal=True, epochs=2)
    assert "━" in output
    assert "training: 2 epochs in" in output.splitlines()[-1]


def test_a_stage_without_epochs_prints_nothing_in_a_log() -> None:
    assert _progress(terminal=False, epochs=0) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3540, "59 min"),
        (4800, "1 h 20 min"),
        (5400, "1 h 30 min"),
    ],
)
def test_durations_are_rounded(seconds: float, text: str) -> None:
    assert duration(seconds) == text
