"""What ``training.compare`` found, as a table."""

from collections.abc import Sequence
from typing import Any

from training.evaluation.tables import markdown

Document = dict[str, Any]


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
