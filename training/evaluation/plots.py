"""Figures as PNG files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt

mpl.use("Agg")  # draws into files, without a display

from matplotlib import pyplot as plt
from matplotlib.figure import Figure


def bars(values: Mapping[str, float], title: str, unit: str, path: Path) -> None:
    """Horizontal bars, the largest on top."""
    ordered = sorted(values.items(), key=lambda item: item[1])
    figure, axes = plt.subplots(figsize=(7, 1.2 + 0.32 * len(ordered)))
    axes.barh([name for name, _ in ordered], [value for _, value in ordered], color="#3b6ea5")
    axes.set_title(title)
    axes.set_xlabel(unit)
    _save(figure, path)


def histogram(values: Sequence[float], title: str, unit: str, path: Path) -> None:
    """Histogram of values, clipped at their 99th percentile because of the long tail."""
    figure, axes = plt.subplots(figsize=(7, 4))
    axes.hist(np.clip(values, 0, np.percentile(values, 99)), bins=50, color="#3b6ea5")
    axes.set_title(title)
    axes.set_xlabel(unit)
    axes.set_ylabel("rows")
    _save(figure, path)


def confusion(table: npt.NDArray[np.int64], names: Sequence[str], path: Path) -> None:
    """Confusion matrix: colours are shares of each true label's rows, numbers are counts."""
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    side = 2.5 + 0.6 * len(names)
    figure, axes = plt.subplots(figsize=(side, side))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("label")
    for row in range(len(names)):
        for column in range(len(names)):
            if table[row, column]:
                axes.text(
                    column,
                    row,
                    str(int(table[row, column])),
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if shares[row, column] > 0.5 else "black",
                )
    _save(figure, path)


def reliability(bins: Sequence[Mapping[str, float]], error: float, path: Path) -> None:
    """Reliability diagram: accuracy against confidence. On the diagonal they are equal."""
    figure, axes = plt.subplots(figsize=(5, 5))
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1)
    axes.plot(
        [row["confidence"] for row in bins],
        [row["accuracy"] for row in bins],
        marker="o",
        color="#3b6ea5",
    )
    axes.set_title(f"calibration error {error:.3f}")
    axes.set_xlabel("confidence")
    axes.set_ylabel("accuracy")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
