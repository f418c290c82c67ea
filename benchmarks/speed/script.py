"""The honest script that people would write: pandas, the same cleaner, the SavedModel's signature (not `model.predict`,
which is slower). Prints the seconds from reading the catalogue to having written the labels.
"""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd

from benchmarks.speed.signature import Labeller, options


def label_file(labeller: Labeller, catalogue: Path, output: Path, column: str) -> None:
    """Read, label, write."""
    table = pd.read_csv(catalogue, dtype=str, keep_default_na=False)
    best, confidence = labeller.label(table[column].tolist())
    table.assign(label=best, confidence=confidence).to_csv(output, index=False)


def main() -> None:
    given = options(__doc__)
    labeller = Labeller(given.model)
    began = time.perf_counter()
    label_file(labeller, given.catalogue, given.output, given.column)
    print(f"{time.perf_counter() - began:.3f}")


if __name__ == "__main__":
    main()
