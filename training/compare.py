"""Compares architectures and baselines on the same folds: ``python -m training.compare``.

Prints a table and writes it as ``comparison.md`` and ``comparison.json`` into the run directory.
Each architecture is evaluated alone and with the linear models, as ``training.train`` exports it;
size and speed are those of the latter. Models that are trained already are not trained again.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training import console
from training.config import DEFAULT_CONFIG, TrainingConfig, read_config
from training.data.dataset import NO_EXTRA_TEXTS, Corpus, ExtraTexts, read_corpus, read_extra_texts
from training.ensemble.baselines import BASELINES
from training.ensemble.stacking import cross_fitted_logits, fit_weights, weighted_sum
from training.errors import TrainingError
from training.evaluation.calibration import fit_calibration
from training.evaluation.comparison_table import comparison_table
from training.evaluation.cross_validation import (
    OutOfFoldScores,
    baseline_predictions,
    cross_validate,
    make_folds,
)
from training.evaluation.metrics import Document, Ints, class_f1, evaluate, macro_f1
from training.export.description import describe
from training.export.ensemble_head import EnsembleHead
from training.export.run_directory import (
    ARTIFACTS,
    FINAL,
    open_run,
    publish_in_subprocess,
    write_json,
    write_probe,
)
from training.neural.architectures import ARCHITECTURES
from training.neural.architectures.registry import check_architecture


def compare(
    corpus: Corpus,
    extra: ExtraTexts,
    config: TrainingConfig,
    workdir: Path,
    architectures: Sequence[str],
) -> list[Document]:
    """One row per baseline, ensemble member and ensemble, best macro-F1 first.

    Raises:
        TrainingError: an architecture is unknown, or the run directory belongs to other data.
    """
    for name in architectures:
        check_architecture(name)
    open_run(workdir, corpus, extra, config)
    extra = extra.excluding(corpus.summaries)
    folds = make_folds(corpus, config)
    rows = [
        {"model": name, **_scores(corpus, folds, baseline_predictions(corpus, folds, name))}
        for name in BASELINES
    ]
    members: dict[str, Document] = {}
    for name in architectures:
        model = config.model.model_copy(update={"architecture": name})
        own_config = config.model_copy(update={"model": model})
        out_of_fold = cross_validate(corpus, folds, extra, own_config, workdir)
        for member, scores in zip(out_of_fold.names, out_of_fold.scores, strict=True):
            predicted = scores.argmax(axis=1)
            members[member] = {"model": member, **_scores(corpus, folds, predicted)}
        rows.append(_ensemble_row(corpus, folds, out_of_fold, own_config, workdir))
    return sorted([*rows, *members.values()], key=lambda row: -float(row["macro_f1"]))


def _ensemble_row(
    corpus: Corpus, folds: Ints, out_of_fold: OutOfFoldScores, config: TrainingConfig, workdir: Path
) -> Document:
    logits = cross_fitted_logits(out_of_fold.scores, corpus.labels, folds)
    evaluation = evaluate(
        logits, corpus.labels, folds, corpus.label_names, config.calibration, seed=config.seed
    )
    size = _measure_export(corpus, out_of_fold, config, evaluation, workdir)
    return {
        "model": f"{config.model.architecture}+linear_models",
        "macro_f1": float(np.mean(evaluation["macro_f1_per_fold"])),
        "spread": float(np.std(evaluation["macro_f1_per_fold"])),
        "macro_f1_per_fold": evaluation["macro_f1_per_fold"],
        "per_class": {name: row["f1"] for name, row in evaluation["per_class"].items()},
        "ece": evaluation["ece"],
        "share_without_review": evaluation["review"]["share_without_review"],
        **{key: size[key] for key in ("rows_per_second", "parameters", "bytes")},
    }


def _scores(corpus: Corpus, folds: Ints, predicted: Ints) -> Document:
    per_fold = [
        macro_f1(corpus.labels[folds == fold], predicted[folds == fold])
        for fold in np.unique(folds)
    ]
    return {
        "macro_f1": float(np.mean(per_fold)),
        "spread": float(np.std(per_fold)),
        "macro_f1_per_fold": per_fold,
        "per_class": {
            name: class_f1(corpus.labels, predicted, index)
            for index, name in enumerate(corpus.label_names)
        },
    }


def _measure_export(
    corpus: Corpus,
    out_of_fold: OutOfFoldScores,
    config: TrainingConfig,
    evaluation: Document,
    workdir: Path,
) -> dict[str, Any]:
    """Size and speed of the first fold's model, exported as it would be published."""
    name = config.model.architecture
    folder = workdir / "exports" / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(workdir / name / "fold-1", folder / FINAL)
    shutil.copytree(workdir / ARTIFACTS / "fold-1", folder / ARTIFACTS / "all")
    weights = fit_weights(out_of_fold.scores, corpus.labels)
    logits = weighted_sum(out_of_fold.scores, weights)
    calibration = fit_calibration(logits, corpus.labels, config.calibration)
    EnsembleHead(weights=weights, calibration=calibration).save(folder)
    write_json(folder / "config.json", config.model_dump(mode="json"))
    write_json(folder / "description.json", describe(corpus, config, calibration, evaluation))
    write_probe(corpus, folder)
    publish_in_subprocess(folder, folder / "export")
    report: dict[str, Any] = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    return report


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.compare", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="CSV with label and summary")
    parser.add_argument("--extra", type=Path, help="CSV of more texts, labels optional")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    parser.add_argument("--workdir", type=Path, help="default: runs/compare-NAME-OF-THE-DATA")
    parser.add_argument("--architectures", nargs="+", default=sorted(ARCHITECTURES))
    options = parser.parse_args(arguments)
    console.suppress_library_notices()
    workdir = options.workdir or Path("runs") / f"compare-{options.data.stem}"
    try:
        config = read_config(options.config)
        corpus = read_corpus(options.data, title=config.text.title)
        extra = (
            read_extra_texts(options.extra, title=config.text.title)
            if options.extra
            else NO_EXTRA_TEXTS
        )
        rows = compare(corpus, extra, config, workdir, options.architectures)
    except TrainingError as error:
        console.error(error)
        return 2
    write_json(workdir / "comparison.json", rows)
    table = comparison_table(rows)
    (workdir / "comparison.md").write_text(table + "\n", encoding="utf-8")
    console.line(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
