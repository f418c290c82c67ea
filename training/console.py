"""What the trainer prints: progress and results in sentences, for a terminal or a log.

Everything goes to standard output; errors go to standard error.
"""

import logging
import sys
import time
import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_console = Console(highlight=False, markup=False, soft_wrap=True)

_METRICS = {"learning_rate": "learning rate", "val_macro_f1": "validation macro-F1"}


def suppress_library_notices() -> None:
    """Hide notices of TensorFlow and Keras that require no action.

    Keras warns that a `tf.data.Dataset` of unknown length ended and is not shuffled by `fit`;
    TensorFlow that functions are retraced for batches of another width. All of this is intended.
    """
    warnings.filterwarnings("ignore", message="`shuffle=True` was passed")
    warnings.filterwarnings("ignore", message="Your input ran out of data")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def heading(text: str) -> None:
    """Print the title of a phase."""
    _console.print(text, style="bold")


def line(text: str) -> None:
    """Print a sentence."""
    _console.print(text)


def error(problem: Exception) -> None:
    """Print an error to standard error."""
    print(f"error: {problem}", file=sys.stderr)


def duration(seconds: float) -> str:
    """Seconds as text: 42 s, 7 min, 1 h 20 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


class EpochProgress:
    """Progress of one training stage: a bar on a terminal, else one line per epoch.

    Use it in a ``with`` statement, which removes the bar and prints a summary.
    """

    def __init__(self, stage: str, epochs: int, *, console: Console = _console) -> None:
        self._stage = stage
        self._console = console
        self._epochs = epochs
        self._metrics: Mapping[str, float] = {}
        self._completed = 0
        self._started = self._epoch_started = 0.0
        self._bar = _bar(console) if console.is_terminal else None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._started = self._epoch_started = time.monotonic()
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(f"  {self._stage}", total=self._epochs, metrics="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            if kind is None and self._completed:
                taken = duration(time.monotonic() - self._started)
                text = f"{self._completed} epochs in {taken}, at the end {_values(self._metrics)}"
                self._console.print(f"  {self._stage}: {text}")

    def complete_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Report the end of an epoch, counted from 0."""
        self._completed, self._metrics = epoch + 1, metrics
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=epoch + 1, metrics=_values(metrics))
        else:
            taken = duration(time.monotonic() - self._epoch_started)
            text = f"epoch {epoch + 1} of {self._epochs}, {_values(metrics)}, {taken}"
            self._console.print(f"  {self._stage}: {text}")
        self._epoch_started = time.monotonic()


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("epoch {task.completed} of {task.total}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[metrics]}"),
        console=console,
        transient=True,
    )


def _values(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{_METRICS.get(name, name)} {value:.4g}" for name, value in metrics.items())
