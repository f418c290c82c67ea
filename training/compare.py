"""Every architecture and the TF-IDF baselines on the same folds: ``python -m training.compare``.

Prints a table and leaves it as ``comparison.md`` and ``comparison.json`` in the work folder. One
row is the sum of the configured members, as ``training.train`` ships it. Models that are trained
already are not trained again.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.baselines import BASELINES
from training.calibration import fit_calibration
from training.config import DEFAULT_CONFIG, TrainingConfig, read_config
from training.cross_validation import baseline_labels, cross_validate, folds_of
from training.data import NO_EXTRA, Corpus, ExtraTexts, read_corpus, read_extra
from training.description import describe
from training.errors import TrainingError
from training.evaluation import Document, Floats, Ints, class_f1, evaluate, macro_f1
from training.fusion import cross_fitted, fit_fusion
from training.models import ARCHITECTURES
from training.models.registry import check_architecture
from training.run_folder import FINAL, claim, publish, write_json, write_probe
from training.tables import markdown


def compare(
    corpus: Corpus,
    extra: ExtraTexts,
    config: TrainingConfig,
    workdir: Path,
    architectures: Sequence[str],
) -> list[Document]:
    """One row per baseline, architecture and for the sum of the members, best macro-F1 first.

    Raises:
        TrainingError: an architecture is unknown, or the work folder belongs to other data.
    """
    for name in architectures:
        check_architecture(name)
    claim(workdir, corpus, config)
    extra = extra.without(corpus.texts)
    folds = folds_of(corpus, config)
    rows = [
        {"model": name, **_scores(corpus, folds, baseline_labels(corpus, folds, name))}
        for name in BASELINES
    ]
    scores = {
        name: cross_validate(name, corpus, folds, extra, config, workdir).scores
        for name in architectures
    }
    sums: list[tuple[str, ...]] = [(name,) for name in architectures]
    if len(config.members) > 1 and set(config.members) <= set(architectures):
        sums.append(config.members)
    for members in sums:
        held = np.stack([scores[name] for name in members])
        rows.append(_model_row(corpus, folds, held, members, config, workdir))
    return sorted(rows, key=lambda row: -float(row["macro_f1"]))


def _model_row(
    corpus: Corpus,
    folds: Ints,
    scores: Floats,
    members: tuple[str, ...],
    config: TrainingConfig,
    workdir: Path,
) -> Document:
    name = "+".join(members)
    logits = cross_fitted(scores, corpus.labels, folds, config.fusion.prior_tilt)
    evaluation = evaluate(
        logits, corpus.labels, folds, corpus.label_names, config.calibration, seed=config.seed
    )
    chosen = config.model_copy(update={"members": members})
    size = _measure_export(corpus, chosen, scores, evaluation, workdir, workdir / "sums" / name)
    return {
        "model": name,
        **_scores(corpus, folds, logits.argmax(axis=1)),
        "ece": evaluation["ece"],
        "share_left_alone": evaluation["review"]["share_left_alone"],
        **{key: size[key] for key in ("rows_per_second", "parameters", "bytes")},
    }


def _scores(corpus: Corpus, folds: Ints, found: Ints) -> Document:
    per_fold = [macro_f1(corpus.labels[folds == f], found[folds == f]) for f in np.unique(folds)]
    return {
        "macro_f1": float(np.mean(per_fold)),
        "spread": float(np.std(per_fold)),
        "macro_f1_per_fold": per_fold,
        "per_class": {
            name: class_f1(corpus.labels, found, index)
            for index, name in enumerate(corpus.label_names)
        },
    }


def _measure_export(
    corpus: Corpus,
    config: TrainingConfig,
    scores: Floats,
    evaluation: Document,
    workdir: Path,
    folder: Path,
) -> dict[str, Any]:
    """Size and speed of the first fold's models, exported as they would be shipped."""
    shutil.rmtree(folder, ignore_errors=True)
    for member in config.members:
        shutil.copytree(workdir / member / "fold-1", folder / FINAL / member)
    fusion = fit_fusion(scores, corpus.labels, config.fusion.prior_tilt)
    fusion.save(folder / FINAL)
    calibration = fit_calibration(fusion(scores), corpus.labels, config.calibration)
    write_json(folder / "config.json", config.model_dump())
    write_json(folder / "description.json", describe(corpus, config, calibration, evaluation))
    write_probe(corpus, folder)
    publish(folder, folder / "export")
    measured: dict[str, Any] = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    return measured


def table(rows: Sequence[Document]) -> str:
    """The comparison as Markdown."""
    labels = list(rows[0]["per_class"])
    head = ("model", "macro-F1", "±", "ECE", "left alone", "rows/s", "parameters", "MB", *labels)
    lines = []
    for row in rows:
        measured = "rows_per_second" in row
        lines.append(
            (
                row["model"],
                f"{row['macro_f1']:.3f}",
                f"{row['spread']:.3f}",
                f"{row['ece']:.3f}" if measured else "",
                f"{row['share_left_alone']:.0%}" if measured else "",
                f"{row['rows_per_second']:,.0f}" if measured else "",
                f"{row['parameters']:,}" if measured else "",
                f"{row['bytes'] / 1e6:.1f}" if measured else "",
                *(f"{row['per_class'][label]:.2f}" for label in labels),
            )
        )
    return markdown(head, lines)


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.compare", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="CSV with label and summary")
    parser.add_argument("--extra", type=Path, help="CSV of more texts, labels optional")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    parser.add_argument("--workdir", type=Path, help="default: runs/compare-NAME-OF-THE-DATA")
    parser.add_argument("--architectures", nargs="+", default=sorted(ARCHITECTURES))
    options = parser.parse_args(arguments)
    workdir = options.workdir or Path("runs") / f"compare-{options.data.stem}"
    try:
        config = read_config(options.config)
        corpus = read_corpus(options.data)
        extra = read_extra(options.extra) if options.extra else NO_EXTRA
        rows = compare(corpus, extra, config, workdir, options.architectures)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    write_json(workdir / "comparison.json", rows)
    (workdir / "comparison.md").write_text(table(rows) + "\n", encoding="utf-8")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
