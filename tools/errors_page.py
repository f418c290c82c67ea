"""Generates `docs/errors.md`: `python -m tools.errors_page > docs/errors.md`."""

from __future__ import annotations

from collections.abc import Iterable

from api.http.problem_codes import CODES
from catalogue.labelled.labels import RowError, RowErrorCode

# Workers store these in the job record; they are not HTTP problems.
JOB_FAILURES = {
    "DEADLINE_EXCEEDED": "The job took longer than `SPINELABEL_JOB_DEADLINE_S`; it is `expired` "
    "and keeps its finished rows.",
    "ERROR_THRESHOLD": "The share of failed rows exceeds the job's threshold.",
    "INPUT_MISSING": "The uploaded file is no longer in the storage.",
    "MODEL_MISMATCH": "No served model was trained with the cleaning rules of this release.",
    "PLANNING_FAILED": "Several workers crashed while they read the file.",
}

_INTRODUCTION = """# Errors

The response to a refused request is a problem document
([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)), `application/problem+json`:

```json
{"type": "about:blank", "title": "Conflict", "status": 409, "code": "JOB_NOT_ENDED",
 "detail": "The job is still in_progress; cancel it or wait until it has ended."}
```

Programs should evaluate `code`, whose meaning never changes; `detail` is for people and says what
to do. `Retry-After` says when a retry makes sense. `/docs` lists the codes of each operation. This
page is generated from the code.

## Requests

"""


def errors_page() -> str:
    """Return the page as Markdown."""
    requests = sorted((code.status.value, name, code.when) for name, code in CODES.items())
    return "\n".join(
        [
            _INTRODUCTION.rstrip("\n"),
            "",
            *_table(("status", "code", "when"), ((str(s), f"`{n}`", w) for s, n, w in requests)),
            "",
            "## Jobs",
            "",
            "A failed job has a code and a sentence in `error`. If its catalogue cannot be read to "
            "the end, or\n"
            "the model does not support an option, the code is one of the above, such as "
            "`LINE_TOO_LONG`,\n"
            "`WORKBOOK_UNREADABLE` or `EVIDENCE_UNAVAILABLE`.",
            "",
            *_table(("code", "when"), ((f"`{n}`", w) for n, w in sorted(JOB_FAILURES.items()))),
            "",
            "## Rows",
            "",
            "A row that cannot be labelled does not fail the job: it keeps its place, has a code "
            "in `row_error`,\n"
            "and is listed in `/v1/jobs/{id}/errors` with a sentence. `row_error_detail` is the "
            "language of the\n"
            "summary (ISO 639-1) for `UNSUPPORTED_LANGUAGE`, and empty for the other codes.",
            "",
            *_table(
                ("code", "sentence"),
                ((f"`{code.value}`", RowError(code).message) for code in RowErrorCode),
            ),
            "",
        ]
    )


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (header, ("---",) * len(header), *rows)]


if __name__ == "__main__":
    print(errors_page(), end="")
