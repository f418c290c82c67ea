"""From a labelled CSV to a published model: ``python -m training.train --data CSV``.

Everything a run makes lies in its work folder; started again with the same arguments after an
interruption, it goes on where it stopped. Quoted texts (the confident mistakes) stay in there.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import keras

from training.calibration import Calibration, fit_calibration
from training.config import DEFAULT_CONFIG, TrainingConfig, read_config
from training.cross_validation import HeldOut, baseline_labels, cross_validate
from training.data import NO_EXTRA, Corpus, ExtraTexts, read_corpus, read_extra
from training.description import describe
from training.errors import TrainingError
from training.evaluation import Document, confident_mistakes, evaluate, macro_f1
from training.evaluation_page import write_pages
from training.fit import Labelled, fit
from training.models.registry import check_architecture
from training.report import write_report


def train(corpus: Corpus, extra: ExtraTexts, config: TrainingConfig, workdir: Path) -> Document:
    """Cross-validate, calibrate, fit on all rows; leave a run folder that can be published.

    Returns: the evaluation, as in ``workdir/evaluation.json``.

    Raises:
        TrainingError: the work folder belongs to other data or another configuration.
    """
    check_architecture(config.model.architecture)
    _claim(workdir, corpus, config)
    write_report(corpus, workdir)
    held = cross_validate(corpus, extra, config, workdir)
    calibration = fit_calibration(held.logits, corpus.labels, config.calibration)
    evaluation = _evaluate(corpus, extra, held, config)
    _write(workdir / "evaluation.json", evaluation)
    mistakes = confident_mistakes(
        held.logits, corpus.labels, corpus.label_names, corpus.titles, corpus.texts
    )
    write_pages(evaluation, mistakes, workdir)
    keras.utils.clear_session()
    keras.utils.set_random_seed(config.seed)
    fit(
        Labelled(texts=corpus.texts, labels=corpus.labels),
        None,
        extra,
        corpus.label_names,
        config,
        workdir / "final",
        title="all rows",
        epochs=held.epochs,
    )
    _describe(corpus, config, calibration, evaluation, workdir)
    return evaluation


def publish(workdir: Path, model_root: Path) -> None:
    """Export in a process of its own, which has never seen a GPU.

    Raises:
        subprocess.CalledProcessError: the export failed; it has said why.
    """
    subprocess.run(
        [
            sys.executable,
            "-m",
            "training.export",
            str(workdir),
            "--model-root",
            str(model_root),
        ],
        check=True,
    )


def _claim(workdir: Path, corpus: Corpus, config: TrainingConfig) -> None:
    """Mark the folder with what it is for, so that two trainings never mix."""
    workdir.mkdir(parents=True, exist_ok=True)
    marks = {
        workdir / "config.json": config.model_dump_json(indent=1),
        workdir / "data.sha256": corpus.fingerprint(),
    }
    for path, content in marks.items():
        if path.exists() and path.read_text(encoding="utf-8") != content:
            raise TrainingError(
                f"{workdir} holds a run with other data or another configuration; choose another "
                "--workdir or remove the folder."
            )
        path.write_text(content, encoding="utf-8")


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


def _describe(
    corpus: Corpus,
    config: TrainingConfig,
    calibration: Calibration,
    evaluation: Document,
    workdir: Path,
) -> None:
    _write(workdir / "description.json", describe(corpus, config, calibration, evaluation))
    # Real texts of all lengths, and one far longer than any, for the export to be checked with.
    longest = " ".join(corpus.texts[:200]).split()[:5000]
    _write(workdir / "probe.json", [*corpus.texts, corpus.texts[0].split()[0], " ".join(longest)])


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
