"""`docs/errors.md`, made from the tables that the code goes by: `python -m tools.errors_page > docs/errors.md`."""

from __future__ import annotations

from collections.abc import Iterable

from api.http.problem_codes import CODES
from catalogue.labelled.labels import RowError

# Written into a job's record by workers, who know no HTTP.
JOB_FAILURES = {
    "DEADLINE_EXCEEDED": "The job took longer than `SPINELABEL_JOB_DEADLINE_S`; it is `expired` and keeps what was finished.",
    "ERROR_THRESHOLD": "More rows failed than the share that the caller allowed.",
    "INPUT_MISSING": "The uploaded file is no longer in the storage.",
    "MODEL_MISMATCH": "No model that serves was trained on texts cleaned by this release's rules.",
    "PLANNING_FAILED": "Reading the file ended several workers.",
}

_INTRODUCTION = """# Errors

Every refused request is answered with a problem document ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)), `application/problem+json`:

```json
{"type": "about:blank", "title": "Conflict", "status": 409, "code": "JOB_NOT_ENDED",
 "detail": "The job is still in_progress; cancel it or wait until it has ended."}
```

Programs go by `code`, which never changes its meaning; `detail` is for people and says what to do. Where asking again makes sense, `Retry-After` says when.
The same codes stand at each operation in `/docs`. This page is made from the code and checked against it.

## Requests

"""


def errors_page() -> str:
    """The page as Markdown."""
    requests = sorted((code.status.value, name, code.when) for name, code in CODES.items())
    return "\n".join(
        [
            _INTRODUCTION.rstrip("\n"),
            "",
            *_table(("status", "code", "when"), ((str(s), f"`{n}`", w) for s, n, w in requests)),
            "",
            "## Jobs",
            "",
            "A job that was accepted and then fails has a code and a sentence in `error`. One whose catalogue cannot be "
            "read to its end, or whose wish the model cannot fulfil, fails with one of the codes above, such as `LINE_TOO_LONG`, `WORKBOOK_UNREADABLE` or `EVIDENCE_UNAVAILABLE`.",
            "",
            *_table(("code", "when"), ((f"`{n}`", w) for n, w in sorted(JOB_FAILURES.items()))),
            "",
            "## Rows",
            "",
            "A row that cannot be labelled is no error of the job: it keeps its place, has the code in `row_error`, and "
            "stands in `/v1/jobs/{id}/errors` with a sentence.",
            "",
            *_table(("code", "sentence"), ((f"`{e.value}`", e.message) for e in RowError)),
            "",
        ]
    )


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (header, ("---",) * len(header), *rows)]


if __name__ == "__main__":
    print(errors_page(), end="")
