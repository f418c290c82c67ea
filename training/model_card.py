"""Writes the model card from the files of a published run.

``python -m training.model_card RUN --out docs/model_card.md``
"""

import argparse
import json
from pathlib import Path
from typing import Any

from training.evaluation.comparison_table import table
from training.evaluation.tables import markdown

Document = dict[str, Any]


def write_card(run: Path, about: str) -> str:
    """The card's Markdown; ``about`` is a paragraph on the origin of the data.

    Raises:
        OSError: the run was not evaluated or not published.
    """
    evaluation, data, export, config, description = (
        json.loads((run / name).read_text(encoding="utf-8"))
        for name in (
            "evaluation.json",
            "data.json",
            "export.json",
            "config.json",
            "description.json",
        )
    )
    return "\n\n".join(
        [
            f"# Model card: genre, version {export['version']}",
            "Written by `python -m training.model_card` from the run's own files.",
            _summary(evaluation, export, description),
            "## Data\n\n" + about + "\n\n" + _data(data, evaluation),
            "## How good it is\n\n" + _quality(evaluation, config),
            *_beside_others(run),
            "## What a confidence means\n\n" + _confidence(evaluation, description),
            "## What it is good and bad at\n\n" + _verdict(evaluation),
            "## The file\n\n" + _file(export, description),
            "## Configuration\n\n```json\n" + json.dumps(config, indent=1) + "\n```\n",
        ]
    )


def _summary(evaluation: Document, export: Document, description: Document) -> str:
    low, high = evaluation["macro_f1_interval"]
    return (
        f"Reads a book's summary and answers one of {len(evaluation['labels'])} genres with a "
        f"calibrated confidence. Architecture `{description['architecture']}`, "
        f"{export['parameters']:,} parameters, {export['bytes'] / 1e6:.1f} MB. "
        f"Macro-F1 on rows it did not learn from: **{evaluation['macro_f1']:.3f}** (95 % bootstrap "
        f"interval {low:.3f} to {high:.3f}). "
        "It is made for English summaries of 20 words and more; a text in another language, or a "
        "book of a genre outside the list, still gets one of these genres."
    )


def _data(data: Document, evaluation: Document) -> str:
    words = data["words_before_cleaning"]
    return (
        f"{data['rows_used']:,} labelled rows ({data['duplicate_rows']} repeats and "
        f"{data['empty_rows']} empty ones left out of {data['rows_read']:,}), "
        f"{words['mean']:.0f} words on average, median {words['median']:.0f}, "
        f"90th percentile {words['p90']:.0f}. {evaluation['extra_texts']:,} extra texts served "
        "word2vec. Those whose tag agreed with the linear models were training rows of low weight, and "
        "some with pseudo-labels pre-trained the sequence model. None is used for evaluation.\n\n"
        f"Data fingerprint `{data['data_fingerprint']}`."
    )


def _quality(evaluation: Document, config: Document) -> str:
    baseline = evaluation["baseline"]
    return (
        f"{evaluation['folds']} folds, split by text, stratified, near-repeats kept together; every "
        "row is predicted once by a model that did not learn from it. "
        + (
            "Early stopping watched rows of the learning part only, and the shipped model has then "
            "learned from all rows with the folds' median number of epochs.\n\n"
            if config["split"]["validation_fraction"]
            else "Every epoch was made, and none was chosen by looking at rows; the shipped model "
            "has learned from all rows in the same way.\n\n"
        )
        + markdown(
            ("", "macro-F1, all rows", "macro-F1, mean of the folds", "spread", "accuracy"),
            [
                _score_line("**this model**", evaluation),
                *(
                    _score_line(f"its part `{name}`, weight {scores['weight']:.2f}", scores)
                    for name, scores in evaluation["members"].items()
                ),
                _score_line(baseline["name"], baseline),
            ],
        )
        + "\n\nA part's weight is what its scores are multiplied with before they are added up; "
        "scores have different sizes, so weights do not rank the parts."
        + "\n\n"
        + markdown(
            ("genre", "precision", "recall", "F1", "rows"),
            [
                (name, f"{r['precision']:.3f}", f"{r['recall']:.3f}", f"{r['f1']:.3f}", r["rows"])
                for name, r in evaluation["per_class"].items()
            ],
        )
        + _styles(evaluation)
        + "\n\nRows by label (down) and prediction (across):\n\n"
        + markdown(
            ("", *evaluation["labels"]),
            [
                (name, *row)
                for name, row in zip(evaluation["labels"], evaluation["confusion"], strict=True)
            ],
        )
    )


def _beside_others(run: Path) -> list[str]:
    """A section if ``training.compare`` was run in the same folder."""
    path = run / "comparison.json"
    if not path.exists():
        return []
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [
        "## Beside other models\n\nThe same rows and folds (`python -m training.compare`); macro-F1 is the mean of "
        "the folds and ± their standard deviation. Names with `+experts` are sums as the shipped one is; "
        "the rest stand alone. ECE, size and speed are those of sums; speed was measured once, on two cores that "
        "other work shared.\n\n" + table(rows)
    ]


def _styles(evaluation: Document) -> str:
    if not evaluation["groups"]:
        return ""
    names = evaluation["labels"]
    return (
        "\n\nPer style (plot or blurb), because style and label correlate in this data. The style is "
        "taken from the label if that determines it, else from function words, which classify "
        f"{evaluation['style_accuracy']:.0%} of the known rows correctly. A label with fewer than "
        "10 rows of a style has no F1 there.\n\n"
        + markdown(
            ("style", "rows", "accuracy", "macro-F1", *names),
            [
                (
                    name,
                    group["rows"],
                    f"{group['accuracy']:.3f}",
                    f"{group['macro_f1']:.3f}",
                    *(f"{group['f1'][n]:.2f}" if n in group["f1"] else "" for n in names),
                )
                for name, group in evaluation["groups"].items()
            ],
        )
    )


def _score_line(name: str, scores: Document) -> tuple[str, ...]:
    folds = scores["macro_f1_per_fold"]
    return (
        name,
        f"{scores['macro_f1']:.3f}",
        f"{sum(folds) / len(folds):.3f}",
        f"{min(folds):.3f} to {max(folds):.3f}",
        f"{scores['accuracy']:.3f}",
    )


def _confidence(evaluation: Document, description: Document) -> str:
    review, conformal = evaluation["review"], evaluation["conformal"]
    precision = review["precision_left_alone"]
    alone = "none were left alone" if precision is None else f"{precision:.1%} of those were right"
    covered = conformal["coverage_per_class"]
    worst = min(covered, key=lambda name: covered[name])
    return (
        "Temperature, threshold and quantile are chosen on out-of-fold predictions; the figures "
        "here judge each fold by what the other folds chose.\n\n"
        f"- Expected calibration error {evaluation['ece']:.3f} "
        f"({evaluation['ece_uncalibrated']:.3f} before). Calibration is a temperature and, for "
        "each genre, a share of labels that say nothing about their text.\n"
        f"- `needs_review` is set below {description['review_threshold']:.3f}, to be right "
        f"{review['wanted_precision']:.0%} of the time above it: {review['share_left_alone']:.1%} "
        f"of the rows were left alone and {alone}.\n"
        f"- `genre_set` is made to hold the right genre for {conformal['wanted_coverage']:.0%} of "
        f"the rows: it did for {conformal['coverage']:.1%}, with {conformal['mean_set_size']:.2f} "
        f"genres on average; least for {worst} ({covered[worst]:.1%})."
    )


def _verdict(evaluation: Document) -> str:
    ranked = sorted(evaluation["per_class"].items(), key=lambda item: -item[1]["f1"])
    best = ", ".join(f"{name} ({row['f1']:.2f})" for name, row in ranked[:3])
    worst = ", ".join(f"{name} ({row['f1']:.2f})" for name, row in ranked[::-1][:3])
    names = evaluation["labels"]
    mixed = sorted(
        (
            (count, names[true], names[found])
            for true, row in enumerate(evaluation["confusion"])
            for found, count in enumerate(row)
            if true != found
        ),
        reverse=True,
    )[:4]
    pairs = "; ".join(f"{true} read as {found} ({count} rows)" for count, true, found in mixed)
    return (
        f"Best (F1): {best}. Worst: {worst}. Most often mixed up: {pairs}. A genre with few rows "
        "has a wide margin around its figure. The label is one genre; books with two are counted "
        "wrong when the model names the other."
    )


def _file(export: Document, description: Document) -> str:
    return (
        f"- {export['bytes'] / 1e6:.2f} MB, {len(export['operations'])} kinds of portable "
        "operations.\n"
        f"- Equal to the Keras model within {export['largest_difference']:.1g}, loaded through a v1 "
        "session by tensor names.\n"
        f"- {export['rows_per_second']:,.0f} rows per second over the training texts on the "
        "machine that exported it, in length-sorted batches of 128 through the session.\n"
        f"- Cleaning fingerprint `{description['cleaning_fingerprint']}`."
    )


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.model_card", description=__doc__)
    parser.add_argument("run", type=Path, help="run folder of a published model")
    parser.add_argument("--out", type=Path, required=True, help="e.g. docs/model_card.md")
    parser.add_argument("--about", type=Path, help="Markdown file on the origin of the data")
    options = parser.parse_args(arguments)
    about = options.about.read_text(encoding="utf-8").strip() if options.about else ""
    options.out.write_text(write_card(options.run, about), encoding="utf-8")


if __name__ == "__main__":
    main()
