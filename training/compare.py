"""Every architecture and the TF-IDF baselines on the same folds: ``python -m training.compare``.

Prints a table and leaves it as ``comparison.md`` and ``comparison.json`` in the work folder. An
architecture stands there alone and with the experts, as ``training.train`` ships it; size and
speed are measured on the latter. Models that are trained already are not trained again.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.config import DEFAULT_CONFIG, TrainingConfig, read_config
from training.data.dataset import NO_EXTRA, Corpus, ExtraTexts, read_corpus, read_extra
from training.ensemble.baselines import BASELINES
from training.ensemble.stacking import cross_fitted, fit_weights, fused
from training.errors import TrainingError
from training.evaluation.calibration import fit_calibration
from training.evaluation.comparison_table import table
from training.evaluation.cross_validation import HeldOut, baseline_labels, cross_validate, folds_of
from training.evaluation.metrics import Document, Ints, class_f1, evaluate, macro_f1
from training.export.description import describe
from training.export.ensemble_head import Answer, write_answer
from training.export.run_directory import FINAL, PREPARED, claim, publish, write_json, write_probe
from training.neural import ARCHITECTURES
from training.neural.registry import check_architecture


def compare(
    corpus: Corpus,
    extra: ExtraTexts,
    config: TrainingConfig,
    workdir: Path,
    architectures: Sequence[str],
) -> list[Document]:
    """One row per baseline, scorer and sum with the experts, best macro-F1 first.

    Raises:
        TrainingError: an architecture is unknown, or the work folder belongs to other data.
    """
    for name in architectures:
        check_architecture(name)
    claim(workdir, corpus, extra, config)
    extra = extra.without(corpus.summaries)
    folds = folds_of(corpus, config)
    rows = [
        {"model": name, **_scores(corpus, folds, baseline_labels(corpus, folds, name))}
        for name in BASELINES
    ]
    members: dict[str, Document] = {}
    for name in architectures:
        model = config.model.model_copy(update={"architecture": name})
        chosen = config.model_copy(update={"model": model})
        held = cross_validate(corpus, folds, extra, chosen, workdir)
        for member, scores in zip(held.names, held.scores, strict=True):
            found = scores.argmax(axis=1)
            members[member] = {"model": member, **_scores(corpus, folds, found)}
        rows.append(_model_row(corpus, folds, held, chosen, workdir))
    return sorted([*rows, *members.values()], key=lambda row: -float(row["macro_f1"]))


def _model_row(
    corpus: Corpus, folds: Ints, held: HeldOut, config: TrainingConfig, workdir: Path
) -> Document:
    logits = cross_fitted(held.scores, corpus.labels, folds)
    evaluation = evaluate(
        logits, corpus.labels, folds, corpus.label_names, config.calibration, seed=config.seed
    )
    size = _measure_export(corpus, held, config, evaluation, workdir)
    return {
        "model": f"{config.model.architecture}+experts",
        "macro_f1": float(np.mean(evaluation["macro_f1_per_fold"])),
        "spread": float(np.std(evaluation["macro_f1_per_fold"])),
        "macro_f1_per_fold": evaluation["macro_f1_per_fold"],
        "per_class": {name: row["f1"] for name, row in evaluation["per_class"].items()},
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
    corpus: Corpus, held: HeldOut, config: TrainingConfig, evaluation: Document, workdir: Path
) -> dict[str, Any]:
    """Size and speed of the first fold's model, exported as it would be shipped."""
    name = config.model.architecture
    folder = workdir / "exports" / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(workdir / name / "fold-1", folder / FINAL)
    shutil.copytree(workdir / PREPARED / "fold-1", folder / PREPARED / "all")
    weights = fit_weights(held.scores, corpus.labels)
    logits = fused(held.scores, weights)
    calibration = fit_calibration(logits, corpus.labels, config.calibration)
    write_answer(Answer(weights=weights, calibration=calibration), folder)
    write_json(folder / "config.json", config.model_dump(mode="json"))
    write_json(folder / "description.json", describe(corpus, config, calibration, evaluation))
    write_probe(corpus, folder)
    publish(folder, folder / "export")
    measured: dict[str, Any] = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    return measured


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
        corpus = read_corpus(options.data, title=config.text.title)
        extra = read_extra(options.extra, title=config.text.title) if options.extra else NO_EXTRA
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
