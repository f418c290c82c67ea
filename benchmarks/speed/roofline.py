"""The roofline: cleaning, and the model on length-sorted, token-bounded batches, with nothing around them.

No file is read or written, no process is talked to; all texts are sorted at once, which no bounded memory allows. Prints
the seconds of both together.
"""

from __future__ import annotations

import csv
import time

from benchmarks.speed.signature import Labeller, options
from catalogue.text.cleaning import clean
from worker.pipeline.batching import micro_batches
from worker.settings import WorkerSettings

# More of a text the shipped model does not read.
_MAX_TOKENS = 256


def main() -> None:
    given = options(__doc__)
    labeller = Labeller(given.model)
    with given.catalogue.open(encoding="utf-8", newline="") as stream:
        summaries = [row[given.column] for row in csv.DictReader(stream)]
    settings = WorkerSettings()
    began = time.perf_counter()
    texts = list(dict.fromkeys(map(clean, summaries)))
    for positions in micro_batches(
        [text.count(" ") + 1 for text in texts],
        batch_rows=settings.batch_rows,
        batch_tokens=settings.batch_tokens,
        max_tokens=_MAX_TOKENS,
    ):
        labeller.probabilities([texts[position] for position in positions])
    print(f"{time.perf_counter() - began:.3f}")


if __name__ == "__main__":
    main()
