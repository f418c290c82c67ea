"""A script: pandas, the same cleaning, the SavedModel's signature (`model.predict` is slower).

Prints the seconds from reading the catalogue until the labels are written.
"""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd

from benchmarks.speed.signature import Labeller, parse_arguments


def label_file(labeller: Labeller, catalogue: Path, output: Path, column: str) -> None:
    """Read the catalogue, label it, write it."""
    table = pd.read_csv(catalogue, dtype=str, keep_default_na=False)
    best, confidence = labeller.label(table[column].tolist())
    table.assign(label=best, confidence=confidence).to_csv(output, index=False)


def main() -> None:
    arguments = parse_arguments(__doc__)
    labeller = Labeller(arguments.model)
    started = time.perf_counter()
    label_file(labeller, arguments.catalogue, arguments.output, arguments.column)
    print(f"{time.perf_counter() - started:.3f}")


if __name__ == "__main__":
    main()
