"""The results of ``training.compare`` as a table."""

from collections.abc import Sequence
from typing import Any

from training.evaluation.tables import markdown_table

Document = dict[str, Any]


def comparison_table(rows: Sequence[Document]) -> str:
    """Format the comparison as Markdown."""
    labels = list(rows[0]["per_class"])
    head = ("model", "macro-F1", "±", "ECE", "no review", "rows/s", "parameters", "MB", *labels)
    lines = []
    for row in rows:
        measured = "rows_per_second" in row
        lines.append(
            (
                row["model"],
                f"{row['macro_f1']:.3f}",
                f"{row['spread']:.3f}",
                f"{row['ece']:.3f}" if measured else "",
                f"{row['share_without_review']:.0%}" if measured else "",
                f"{row['rows_per_second']:,.0f}" if measured else "",
                f"{row['parameters']:,}" if measured else "",
                f"{row['bytes'] / 1e6:.1f}" if measured else "",
                *(f"{row['per_class'][label]:.2f}" for label in labels),
            )
        )
    return markdown_table(head, lines)
