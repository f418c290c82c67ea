"""The roofline: cleaning, and the model on length-sorted batches of bounded size, and nothing else.

Without files and other processes; all texts are sorted at once, which a bounded memory does not
allow. Prints the seconds of both together.
"""

from __future__ import annotations

import csv
import time

from benchmarks.speed.signature import Labeller, parse_arguments
from catalogue.text.cleaning import clean
from worker.pipeline.batching import micro_batches
from worker.settings import WorkerSettings

# At least as many as the shipped model reads.
_MAX_TOKENS = 256


def main() -> None:
    arguments = parse_arguments(__doc__)
    labeller = Labeller(arguments.model)
    with arguments.catalogue.open(encoding="utf-8", newline="") as stream:
        summaries = [row[arguments.column] for row in csv.DictReader(stream)]
    settings = WorkerSettings()
    started = time.perf_counter()
    texts = list(dict.fromkeys(map(clean, summaries)))
    for positions in micro_batches(
        [text.count(" ") + 1 for text in texts],
        batch_rows=settings.batch_rows,
        batch_tokens=settings.batch_tokens,
        max_tokens=_MAX_TOKENS,
    ):
        labeller.probabilities([texts[position] for position in positions])
    print(f"{time.perf_counter() - started:.3f}")


if __name__ == "__main__":
    main()
