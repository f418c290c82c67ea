"""What a data set looks like: label counts, lengths, duplicates; as JSON and plots."""

import argparse
import json
from pathlib import Path

import numpy as np

from training.data.dataset import Corpus, read_corpus
from training.evaluation import plots


def data_report(corpus: Corpus) -> dict[str, object]:
    """Figures only: no title and no text of the data is in it."""
    tokens = [text.count(" ") + 1 for text in corpus.texts]
    return {
        "rows_read": corpus.rows_read,
        "rows_used": len(corpus),
        "empty_rows": corpus.empty_rows,
        "unlabelled_rows": corpus.unlabelled_rows,
        "duplicate_rows": corpus.duplicate_rows,
        "rows_per_label": corpus.counts(),
        "words_before_cleaning": _spread([len(text.split()) for text in corpus.originals]),
        "tokens_after_cleaning": _spread(tokens),
        "data_fingerprint": corpus.fingerprint(),
    }


def write_report(corpus: Corpus, folder: Path) -> dict[str, object]:
    """``data.json``, ``labels.png`` and ``lengths.png`` in ``folder``; returns the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    report = data_report(corpus)
    (folder / "data.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    plots.bars(
        {name: float(count) for name, count in corpus.counts().items()},
        "Rows per label",
        "rows",
        folder / "labels.png",
    )
    tokens = [float(text.count(" ") + 1) for text in corpus.texts]
    plots.histogram(tokens, "Length after cleaning", "tokens", folder / "lengths.png")
    return report


def _spread(values: tuple[int, ...] | list[int]) -> dict[str, float]:
    low, middle, high, longest = np.percentile(values, [10, 50, 90, 100])
    return {
        "mean": float(np.mean(values)),
        "p10": float(low),
        "median": float(middle),
        "p90": float(high),
        "longest": float(longest),
    }


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.data.data_report", description=__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="labelled CSV")
    parser.add_argument("--out", type=Path, required=True, help="folder for the figures")
    options = parser.parse_args(arguments)
    print(json.dumps(write_report(read_corpus(options.data), options.out), indent=1))


if __name__ == "__main__":
    main()
