"""Results in other formats, converted while they are sent, without length and ranges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from flask import Response, request
from werkzeug.datastructures import MIMEAccept

from api.http.filenames import download_name
from api.http.problems import Problem
from api.jobs.scoped_store import ScopedJobStore
from api.results.files import attachment
from api.results.result_reader import ResultReader, open_result
from catalogue.exports.csv_safe import to_formula_safe_csv
from catalogue.exports.jsonl import as_jsonl
from catalogue.exports.table import Table
from catalogue.exports.xlsx import MAX_ROWS, as_xlsx
from jobs.files.storage import Storage
from jobs.job import Job
from jobs.ports.corrections import CorrectionStore


class Format(StrEnum):
    """Formats of a result; the value is also the file extension."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    XLSX = "xlsx"


MEDIA_TYPES: Mapping[Format, str] = {
    Format.CSV: "text/csv",
    Format.JSONL: "application/x-ndjson",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def negotiate(requested: Format | None, accept: MIMEAccept) -> Format:
    """Choose the format by parameter, else Accept header, else CSV.

    Raises `Problem` if none is acceptable.
    """
    if requested is not None or not accept:
        return requested or Format.CSV
    best = accept.best_match(list(MEDIA_TYPES.values()))
    if best is None:
        raise Problem(
            HTTPStatus.NOT_ACCEPTABLE,
            "NOT_ACCEPTABLE",
            f"Results are available as {', '.join(MEDIA_TYPES.values())}; accept one of them, or "
            "use the parameter 'format'.",
        )
    return next(kind for kind, media_type in MEDIA_TYPES.items() if media_type == best)


@dataclass(frozen=True)
class Export:
    """The format of one download."""

    kind: Format
    formula_safe: bool  # formulas are escaped

    def response(
        self, job: Job, store: ScopedJobStore, storage: Storage, corrections: CorrectionStore
    ) -> Response:
        """Return the download.

        Raises `Problem` if there is no result (yet) or it has too many rows.
        """
        if self.kind is Format.XLSX and job.row_counts.total > MAX_ROWS:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "TOO_MANY_ROWS_FOR_XLSX",
                f"An Excel sheet holds {MAX_ROWS:,} rows and this result has "
                f"{job.row_counts.total:,}; "
                "download it as CSV or Parquet.",
            )
        summary = corrections.summary(job.id)
        reader = open_result(job, store, storage, corrections)
        blocks = self._blocks(reader, rows=job.row_counts.total, corrected=summary.count > 0)
        response = Response(blocks, content_type=MEDIA_TYPES[self.kind])
        response.call_on_close(reader.close)
        suffix = "-formula-safe" if self.formula_safe else ""
        response.set_etag(f"{job.id}-{self.kind}{suffix}-{summary.revision}")
        attachment(response, download_name(job.filename, "labelled", self.kind))
        response.make_conditional(request.environ)
        return response

    def _blocks(self, reader: ResultReader, *, rows: int, corrected: bool) -> Iterator[bytes]:
        if self.kind is Format.CSV:
            return to_formula_safe_csv(reader.result, reader.batches(), corrected=corrected)
        table = Table.of(reader.result, corrected=corrected)
        if self.kind is Format.XLSX:
            return as_xlsx(table, reader.batches(), csv_bytes=reader.size)
        if self.kind is Format.PARQUET:
            # Imported on first use: it costs several megabytes of memory.
            from catalogue.exports.parquet import as_parquet

            return as_parquet(table, reader.batches(), row_bytes=reader.size / max(rows, 1))
        return as_jsonl(table, reader.batches())
