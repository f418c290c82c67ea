"""Trains a model on a labelled CSV: ``python -m training.train --data CSV``.

All output is in the run directory. The same command resumes an interrupted training. The list of
confident mistakes quotes texts of the data and is written there only.
"""

import argparse
import sys
from pathlib import Path

import keras

from training import console
from training.config import DEFAULT_CONFIG, TrainingConfig, read_config
from training.data.dataset import (
    NO_EXTRA_TEXTS,
    Corpus,
    ExtraTexts,
    read_corpus,
    read_extra_texts,
)
from training.data.report import write_report
from training.data.writing_style import detect_writing_styles
from training.ensemble.stacking import cross_fitted_logits, fit_weights, weighted_sum
from training.errors import TrainingError
from training.evaluation.calibration import fit_calibration
from training.evaluation.cross_validation import baseline_predictions, cross_validate, make_folds
from training.evaluation.html_report import write_html_report
from training.evaluation.metrics import (
    Document,
    Floats,
    Ints,
    confident_mistakes,
    evaluate,
    macro_f1,
)
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
from training.features.fold_artifacts import build_artifacts
from training.neural.architectures.registry import check_architecture
from training.neural.fit import fit


def train(corpus: Corpus, extra: ExtraTexts, config: TrainingConfig, workdir: Path) -> Document:
    """Cross-validate, fit the weights, calibrate, train on all rows.

    Afterwards the run can be published. Returns: the evaluation, as in ``workdir/evaluation.json``.

    Raises:
        TrainingError: the architecture is unknown, or the run directory belongs to other data or
            another configuration.
    """
    check_architecture(config.model.architecture)
    open_run(workdir, corpus, extra, config)
    write_report(corpus, workdir)
    extra = extra.excluding(corpus.summaries)
    folds = make_folds(corpus, config)
    out_of_fold = cross_validate(corpus, folds, extra, config, workdir)
    weights = fit_weights(out_of_fold.scores, corpus.labels)
    logits = cross_fitted_logits(out_of_fold.scores, corpus.labels, folds)
    evaluation = {
        **_evaluate(corpus, logits, folds, config),
        "extra_texts": len(extra.texts),
        "epochs": list(out_of_fold.epochs),
        "members": {
            name: {"weight": float(weight), **_scores(corpus, scores.argmax(axis=1), folds)}
            for name, weight, scores in zip(
                out_of_fold.names, weights, out_of_fold.scores, strict=True
            )
        },
    }
    write_json(workdir / "evaluation.json", evaluation)
    mistakes = confident_mistakes(
        logits, corpus.labels, corpus.label_names, corpus.titles, corpus.texts
    )
    write_html_report(evaluation, mistakes, workdir)
    console.heading(f"Final model, all {len(corpus):,} rows")
    keras.utils.clear_session()
    names = corpus.label_names
    rows = corpus.labelled_texts()
    fit(
        rows,
        None,
        extra,
        build_artifacts(rows, extra, names, config, workdir / ARTIFACTS / "all"),
        len(names),
        config,
        workdir / FINAL,
        epochs=out_of_fold.epochs,
    )
    calibration = fit_calibration(
        weighted_sum(out_of_fold.scores, weights), corpus.labels, config.calibration
    )
    EnsembleHead(weights=weights, calibration=calibration).save(workdir)
    write_json(workdir / "description.json", describe(corpus, config, calibration, evaluation))
    write_probe(corpus, workdir)
    return evaluation


def _evaluate(corpus: Corpus, logits: Floats, folds: Ints, config: TrainingConfig) -> Document:
    baseline = baseline_predictions(corpus, folds, "tfidf_svm")
    names = [corpus.label_names[label] for label in corpus.labels]
    styles = detect_writing_styles(corpus.raw_summaries, names, config.writing_styles)
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
            **_scores(corpus, baseline, folds),
        },
    }


def _scores(corpus: Corpus, predicted: Ints, folds: Ints) -> Document:
    return {
        "macro_f1": macro_f1(corpus.labels, predicted),
        "macro_f1_per_fold": [
            macro_f1(corpus.labels[folds == fold], predicted[folds == fold])
            for fold in range(int(folds.max()) + 1)
        ],
        "accuracy": float((predicted == corpus.labels).mean()),
    }


def _print_inputs(corpus: Corpus, extra: ExtraTexts, workdir: Path) -> None:
    dropped = {
        "duplicate": corpus.duplicate_rows,
        "empty": corpus.empty_rows,
        "not in English": corpus.foreign_rows,
        "unlabelled": corpus.unlabelled_rows,
    }
    counts = ", ".join(f"{count} {reason}" for reason, count in dropped.items() if count)
    console.line(
        f"Data: {len(corpus):,} books of {len(corpus.label_names)} genres; rows left out: "
        f"{counts or 'none'}. Extra texts: {len(extra.texts):,}; not in English and left out: "
        f"{extra.foreign_rows:,}."
    )
    console.line(f"Run directory: {workdir}. The same command resumes an interrupted training.")


def _print_results(evaluation: Document, workdir: Path) -> None:
    low, high = evaluation["macro_f1_interval"]
    baseline, review = evaluation["baseline"], evaluation["review"]
    console.heading("Results on held-out rows")
    console.line(
        f"  macro-F1 {evaluation['macro_f1']:.3f} (95 % interval {low:.3f} to {high:.3f}), "
        f"accuracy {evaluation['accuracy']:.3f}, calibration error {evaluation['ece']:.3f}"
    )
    console.line(f"  baseline, {baseline['name']}: macro-F1 {baseline['macro_f1']:.3f}")
    if baseline["macro_f1"] > evaluation["macro_f1"]:
        console.line(
            "  The baseline is better on these data. Add labelled rows, or use it instead."
        )
    precision = review["precision_without_review"]
    console.line(
        f"  {review['share_without_review']:.0%} of the rows need no review"
        + (f", and {precision:.0%} of them are correct" if precision is not None else "")
    )
    console.line(f"Report: {workdir / 'evaluation.html'}")


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="CSV with label and summary")
    parser.add_argument("--extra", type=Path, help="CSV of more texts, labels optional")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="JSON file")
    parser.add_argument("--workdir", type=Path, help="default: runs/NAME-OF-THE-DATA")
    parser.add_argument("--publish", type=Path, help="model folder, e.g. serving/models/genre")
    parser.add_argument("--summary-column")
    parser.add_argument("--label-column")
    options = parser.parse_args(arguments)
    console.suppress_library_notices()
    workdir = options.workdir or Path("runs") / options.data.stem
    try:
        config = read_config(options.config)
        check_architecture(config.model.architecture)
        title = config.text.title
        corpus = read_corpus(
            options.data,
            title=title,
            summary_column=options.summary_column,
            label_column=options.label_column,
        )
        extra = read_extra_texts(options.extra, title=title) if options.extra else NO_EXTRA_TEXTS
        _print_inputs(corpus, extra, workdir)
        evaluation = train(corpus, extra, config, workdir)
    except TrainingError as error:
        console.error(error)
        return 2
    _print_results(evaluation, workdir)
    if options.publish:
        return publish_in_subprocess(workdir, options.publish)
    return 0


if __name__ == "__main__":
    sys.exit(main())
