"""Statistics of a data set: label counts, lengths, duplicates; as JSON and plots."""

import argparse
import json
from pathlib import Path

import numpy as np

from training.data.dataset import Corpus, read_corpus
from training.evaluation import plots


def data_report(corpus: Corpus) -> dict[str, object]:
    """The statistics as JSON values, without any title or text of the data."""
    tokens = [text.count(" ") + 1 for text in corpus.texts]
    return {
        "rows_read": corpus.rows_read,
        "rows_used": len(corpus),
        "empty_rows": corpus.empty_rows,
        "foreign_rows": corpus.foreign_rows,
        "unlabelled_rows": corpus.unlabelled_rows,
        "duplicate_rows": corpus.duplicate_rows,
        "rows_per_label": corpus.rows_per_label(),
        "words_before_cleaning": _percentiles([len(text.split()) for text in corpus.raw_summaries]),
        "tokens_after_cleaning": _percentiles(tokens),
        "data_fingerprint": corpus.fingerprint(),
    }


def write_report(corpus: Corpus, folder: Path) -> dict[str, object]:
    """Write ``data.json``, ``labels.png`` and ``lengths.png`` into ``folder``.

    Returns: the statistics.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report = data_report(corpus)
    (folder / "data.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    plots.bars(
        {name: float(count) for name, count in corpus.rows_per_label().items()},
        "Rows per label",
        "rows",
        folder / "labels.png",
    )
    tokens = [float(text.count(" ") + 1) for text in corpus.texts]
    plots.histogram(tokens, "Length after cleaning", "tokens", folder / "lengths.png")
    return report


def _percentiles(values: tuple[int, ...] | list[int]) -> dict[str, float]:
    p10, median, p90, longest = np.percentile(values, [10, 50, 90, 100])
    return {
        "mean": float(np.mean(values)),
        "p10": float(p10),
        "median": float(median),
        "p90": float(p90),
        "longest": float(longest),
    }


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.data.report", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="labelled CSV")
    parser.add_argument("--out", type=Path, required=True, help="folder for the report")
    options = parser.parse_args(arguments)
    print(json.dumps(write_report(read_corpus(options.data), options.out), indent=1))


if __name__ == "__main__":
    main()
