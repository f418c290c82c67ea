"""Trains a model on a labelled CSV: ``python -m training.train --data CSV``.

All output is in the run folder. After an interruption, the same command resumes. The list of confident
mistakes quotes texts and stays in that folder.
"""

import argparse
import json
import sys
from pathlib import Path

import keras

from training.config import DEFAULT_CONFIG, TrainingConfig, read_config
from training.data.data_report import write_report
from training.data.dataset import NO_EXTRA, Corpus, ExtraTexts, read_corpus, read_extra
from training.data.writing_style import detect_styles
from training.ensemble.stacking import cross_fitted, fit_weights, fused
from training.errors import TrainingError
from training.evaluation.calibration import fit_calibration
from training.evaluation.cross_validation import baseline_labels, cross_validate, folds_of
from training.evaluation.html_report import write_pages
from training.evaluation.metrics import (
    Document,
    Floats,
    Ints,
    confident_mistakes,
    evaluate,
    macro_f1,
)
from training.export.description import describe
from training.export.ensemble_head import Answer, write_answer
from training.export.run_directory import FINAL, PREPARED, claim, publish, write_json, write_probe
from training.features.fold_artifacts import prepare
from training.neural.fit import fit
from training.neural.registry import check_architecture


def train(corpus: Corpus, extra: ExtraTexts, config: TrainingConfig, workdir: Path) -> Document:
    """Cross-validate, fit the weights, calibrate, fit on all rows.

    The run folder can then be published. Returns: the evaluation, as in
    ``workdir/evaluation.json``.

    Raises:
        TrainingError: the architecture is unknown, or the work folder belongs to other data or another
            configuration.
    """
    check_architecture(config.model.architecture)
    claim(workdir, corpus, extra, config)
    write_report(corpus, workdir)
    extra = extra.without(corpus.summaries)
    folds = folds_of(corpus, config)
    held = cross_validate(corpus, folds, extra, config, workdir)
    weights = fit_weights(held.scores, corpus.labels)
    logits = cross_fitted(held.scores, corpus.labels, folds)
    evaluation = {
        **_evaluate(corpus, logits, folds, config),
        "extra_texts": len(extra.texts),
        "epochs": list(held.epochs),
        "members": {
            name: {"weight": float(weight), **_short(corpus, scores.argmax(axis=1), folds)}
            for name, weight, scores in zip(held.names, weights, held.scores, strict=True)
        },
    }
    write_json(workdir / "evaluation.json", evaluation)
    mistakes = confident_mistakes(
        logits, corpus.labels, corpus.label_names, corpus.titles, corpus.texts
    )
    write_pages(evaluation, mistakes, workdir)
    keras.utils.clear_session()
    names = corpus.label_names
    fit(
        corpus.labelled(),
        None,
        extra,
        prepare(corpus.labelled(), extra, names, config, workdir / PREPARED / "all"),
        len(names),
        config,
        workdir / FINAL,
        title=f"{config.model.architecture} all rows",
        epochs=held.epochs,
    )
    calibration = fit_calibration(fused(held.scores, weights), corpus.labels, config.calibration)
    write_answer(Answer(weights=weights, calibration=calibration), workdir)
    write_json(workdir / "description.json", describe(corpus, config, calibration, evaluation))
    write_probe(corpus, workdir)
    return evaluation


def _evaluate(corpus: Corpus, logits: Floats, folds: Ints, config: TrainingConfig) -> Document:
    baseline = baseline_labels(corpus, folds, "tfidf_svm")
    named = [corpus.label_names[label] for label in corpus.labels]
    styles = detect_styles(corpus.originals, named, config.styles)
    return {
        **evaluate(
            logits,
            corpus.labels,
            folds,
            corpus.label_names,
            config.calibration,
            seed=config.seed,
            groups=styles.groups if styles else None,
        ),
        "style_accuracy": styles.accuracy if styles else None,
        "folds": int(folds.max()) + 1,
        "baseline": {
            "name": "TF-IDF (1-2-grams) + LinearSVC",
            **_short(corpus, baseline, folds),
        },
    }


def _short(corpus: Corpus, found: Ints, folds: Ints) -> Document:
    return {
        "macro_f1": macro_f1(corpus.labels, found),
        "macro_f1_per_fold": [
            macro_f1(corpus.labels[folds == fold], found[folds == fold])
            for fold in range(int(folds.max()) + 1)
        ],
        "accuracy": float((found == corpus.labels).mean()),
    }


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="CSV with label and summary")
    parser.add_argument("--extra", type=Path, help="CSV of more texts, labels optional")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    parser.add_argument("--workdir", type=Path, help="default: runs/NAME-OF-THE-DATA")
    parser.add_argument("--publish", type=Path, help="model folder, e.g. serving/models/genre")
    parser.add_argument("--summary-column")
    parser.add_argument("--label-column")
    options = parser.parse_args(arguments)
    workdir = options.workdir or Path("runs") / options.data.stem
    try:
        config = read_config(options.config)
        check_architecture(config.model.architecture)
        corpus = read_corpus(
            options.data,
            title=config.text.title,
            summary_column=options.summary_column,
            label_column=options.label_column,
        )
        extra = read_extra(options.extra, title=config.text.title) if options.extra else NO_EXTRA
        evaluation = train(corpus, extra, config, workdir)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps({key: evaluation[key] for key in ("rows", "macro_f1", "accuracy", "ece")}))
    print(f"evaluation: {workdir / 'evaluation.html'}")
    if options.publish:
        return publish(workdir, options.publish)
    return 0


if __name__ == "__main__":
    sys.exit(main())
