"""Exports a result as JSON Lines: one object per row, with column names as keys."""

import json
from collections.abc import Iterable, Iterator

from catalogue.exports.table import EXTRA_COLUMN, Batch, Table


def as_jsonl(table: Table, batches: Iterable[Batch]) -> Iterator[bytes]:
    """Yield the rows, one block per batch. `extra_cells` is omitted from rows without any."""
    extra = table.names[-1]
    assert extra.startswith(EXTRA_COLUMN)
    for batch in batches:
        lines = []
        for values in table.rows([batch]):
            row = dict(zip(table.names, values, strict=True))
            if not row[extra]:
                del row[extra]
            lines.append(json.dumps(row, ensure_ascii=False) + "\n")
        yield "".join(lines).encode()
