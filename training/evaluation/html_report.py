"""The evaluation as an HTML page with two figures."""

import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.evaluation import plots

_HEAD = """<!doctype html><meta charset="utf-8"><title>Evaluation</title>
<style>body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2rem .6rem;text-align:left}
img{max-width:100%}</style>
"""


def write_html_report(
    evaluation: dict[str, Any], mistakes: Sequence[dict[str, Any]], folder: Path
) -> None:
    """Write ``confusion.png``, ``reliability.png`` and ``evaluation.html`` into ``folder``.

    The list of mistakes in the page quotes the data.
    """
    names = [str(name) for name in evaluation["labels"]]
    plots.confusion(np.array(evaluation["confusion"]), names, folder / "confusion.png")
    plots.reliability(
        evaluation["reliability"], float(evaluation["ece"]), folder / "reliability.png"
    )
    low, high = evaluation["macro_f1_interval"]
    parts = [
        _HEAD,
        f"<h1>{html.escape(' + '.join(evaluation['members']))}</h1>",
        f"<p>Held-out macro-F1 <b>{evaluation['macro_f1']:.3f}</b> (95 % interval {low:.3f} to "
        f"{high:.3f}), accuracy {evaluation['accuracy']:.3f}, calibration error "
        f"{evaluation['ece']:.3f}, {evaluation['rows']} rows. "
        f"{html.escape(evaluation['baseline']['name'])}: macro-F1 "
        f"{evaluation['baseline']['macro_f1']:.3f}.</p>",
        "<h2>Labels</h2>",
        _table(
            ("label", "precision", "recall", "F1", "rows"),
            (
                (
                    name,
                    f"{row['precision']:.3f}",
                    f"{row['recall']:.3f}",
                    f"{row['f1']:.3f}",
                    str(row["rows"]),
                )
                for name, row in evaluation["per_class"].items()
            ),
        ),
        '<h2>Confusion</h2><img src="confusion.png" alt="confusion matrix">',
        '<h2>Reliability</h2><img src="reliability.png" alt="reliability diagram">',
        "<h2>Most confident mistakes</h2>",
        _table(
            ("title", "label", "predicted", "confidence", "text"),
            (
                (m["title"], m["label"], m["predicted"], f"{m['confidence']:.2f}", m["text"])
                for m in mistakes
            ),
        ),
    ]
    (folder / "evaluation.html").write_text("\n".join(parts), encoding="utf-8")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["<table><tr>" + "".join(f"<th>{html.escape(cell)}</th>" for cell in head) + "</tr>"]
    lines.extend(
        "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return "\n".join([*lines, "</table>"])
