"""OpenAPI description of upload bodies: the plain file, or a form with the file and its options."""

from __future__ import annotations

from typing import Any

from flask_openapi3.types import ResponseDict

from api.http.openapi_responses import problems
from api.uploads.options import Options

# For documentation only: the format is detected from the content.
_FILE_TYPES = (
    "text/csv",
    "text/tab-separated-values",
    "application/gzip",
    "application/zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/octet-stream",
)


def _form() -> dict[str, Any]:
    schema = Options.model_json_schema()
    return {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary", "description": "The catalogue."},
            **schema["properties"],
        },
        "additionalProperties": False,
    }


UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in _FILE_TYPES},
            "multipart/form-data": {"schema": _form()},
        },
    }
}

# Problems of reading a file, for uploads and previews.
READING_PROBLEMS = (
    "INVALID_PARAMETER",
    "UNKNOWN_PARAMETER",
    "UNKNOWN_FIELD",
    "NO_FILE",
    "MULTIPLE_FILES",
    "MALFORMED_FORM",
    "UPLOAD_INTERRUPTED",
    "UPLOAD_STALLED",
    "CROSS_SITE",
    "TOO_MANY_REQUESTS",
    "FILE_TOO_LARGE",
    "UNSUPPORTED_CONTENT_ENCODING",
    "NOT_TEXT",
    "EMPTY_FILE",
    "HEADER_UNREADABLE",
    "TOO_MANY_COLUMNS",
    "CORRUPT_ARCHIVE",
    "ENCRYPTED_ARCHIVE",
    "EMPTY_ARCHIVE",
    "MULTIPLE_FILES_IN_ARCHIVE",
    "UNPACKED_TOO_LARGE",
    "WORKBOOK_UNREADABLE",
    "STORAGE_FULL",
)

UPLOAD_PROBLEMS: ResponseDict = problems(
    *READING_PROBLEMS,
    "EVIDENCE_UNAVAILABLE",
    "IDEMPOTENCY_KEY_IN_USE",
    "IDEMPOTENCY_KEY_REUSED",
    "TOO_MANY_OPEN_JOBS",
    "NO_SUMMARY_COLUMN",
    "SUMMARY_COLUMN_NOT_FOUND",
    "TITLE_COLUMN_NOT_FOUND",
    "NO_ROWS",
)
