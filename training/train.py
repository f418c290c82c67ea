"""From a labelled CSV to a published model: ``python -m training.train --data CSV``.

Everything a run makes lies in its work folder; started again with the same arguments after an
interruption, it goes on where it stopped. Quoted texts (the confident mistakes) stay in there.
"""

import argparse
import json
import sys
from pathlib import Path

import keras

from training.calibration import fit_calibration
from training.config import DEFAULT_CONFIG, TrainingConfig, read_config
from training.cross_validation import HeldOut, baseline_labels, cross_validate
from training.data import NO_EXTRA, Corpus, ExtraTexts, read_corpus, read_extra
from training.description import describe
from training.errors import TrainingError
from training.evaluation import Document, confident_mistakes, evaluate, macro_f1
from training.evaluation_page import write_pages
from training.fit import fit
from training.models.registry import check_architecture
from training.prepare import prepare
from training.report import write_report
from training.run_folder import claim, publish, write_probe


def train(corpus: Corpus, extra: ExtraTexts, config: TrainingConfig, workdir: Path) -> Document:
    """Cross-validate, calibrate, fit on all rows; leave a run folder that can be published.

    Returns: the evaluation, as in ``workdir/evaluation.json``.

    Raises:
        TrainingError: the work folder belongs to other data or another configuration.
    """
    check_architecture(config.model.architecture)
    claim(workdir, corpus, config)
    write_report(corpus, workdir)
    extra = extra.without(corpus.texts)
    held = cross_validate(
        corpus, extra, config, workdir, shared=workdir / "prepared", title=config.model.architecture
    )
    calibration = fit_calibration(held.logits, corpus.labels, config.calibration)
    evaluation = _evaluate(corpus, extra, held, config)
    _write(workdir / "evaluation.json", evaluation)
    mistakes = confident_mistakes(
        held.logits, corpus.labels, corpus.label_names, corpus.titles, corpus.texts
    )
    write_pages(evaluation, mistakes, workdir)
    keras.utils.clear_session()
    names = corpus.label_names
    fit(
        corpus.labelled(),
        None,
        prepare(corpus.labelled(), extra, names, config, workdir / "prepared" / "all"),
        len(names),
        config,
        workdir / "final",
        title=f"{config.model.architecture} all rows",
        epochs=held.epochs,
    )
    _write(workdir / "description.json", describe(corpus, config, calibration, evaluation))
    write_probe(corpus, workdir)
    return evaluation


def _evaluate(corpus: Corpus, extra: ExtraTexts, held: HeldOut, config: TrainingConfig) -> Document:
    evaluation = evaluate(
        held.logits,
        corpus.labels,
        held.folds,
        corpus.label_names,
        config.calibration,
        seed=config.seed,
    )
    baseline = baseline_labels(corpus, held.folds)
    return {
        **evaluation,
        "architecture": config.model.architecture,
        "folds": int(held.folds.max()) + 1,
        "epochs": list(held.epochs),
        "extra_texts": len(extra.texts),
        "baseline": {
            "name": "TF-IDF (1-2-grams) + LinearSVC",
            "macro_f1": macro_f1(corpus.labels, baseline),
            "macro_f1_per_fold": [
                macro_f1(corpus.labels[held.folds == fold], baseline[held.folds == fold])
                for fold in range(int(held.folds.max()) + 1)
            ],
            "accuracy": float((baseline == corpus.labels).mean()),
        },
    }


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


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
            summary_column=options.summary_column,
            label_column=options.label_column,
        )
        extra = read_extra(options.extra) if options.extra else NO_EXTRA
        evaluation = train(corpus, extra, config, workdir)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps({key: evaluation[key] for key in ("rows", "macro_f1", "accuracy", "ece")}))
    print(f"evaluation: {workdir / 'evaluation.html'}")
    if options.publish:
        publish(workdir, options.publish)
    return 0


if __name__ == "__main__":
    sys.exit(main())
