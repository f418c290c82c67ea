"""All problem codes, each with its HTTP status and meaning.

The OpenAPI description lists them per operation, and `docs/errors.md` is generated from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple


class Code(NamedTuple):
    """One kind of problem."""

    status: HTTPStatus
    when: str


CODES: Mapping[str, Code] = {
    # The request itself
    "BAD_REQUEST": Code(HTTPStatus.BAD_REQUEST, "The request breaks HTTP's syntax."),
    "INVALID_PARAMETER": Code(
        HTTPStatus.BAD_REQUEST,
        "A parameter, an option or a field has an invalid value; `detail` names it.",
    ),
    "INVALID_BODY": Code(HTTPStatus.BAD_REQUEST, "The body is not the expected JSON object."),
    "UNKNOWN_PARAMETER": Code(
        HTTPStatus.BAD_REQUEST,
        "A parameter is unknown; misspelt parameters are refused and not ignored.",
    ),
    "INVALID_CURSOR": Code(
        HTTPStatus.BAD_REQUEST,
        "The pagination cursor is invalid or has expired.",
    ),
    "UNAUTHENTICATED": Code(
        HTTPStatus.UNAUTHORIZED, "The server requires an API key, and the request has none."
    ),
    "INVALID_API_KEY": Code(HTTPStatus.UNAUTHORIZED, "The API key is unknown or was revoked."),
    "TOO_MANY_REQUESTS": Code(
        HTTPStatus.TOO_MANY_REQUESTS,
        "The rate limit of the key is exceeded; `Retry-After` is set.",
    ),
    "TOO_MANY_OPEN_JOBS": Code(
        HTTPStatus.TOO_MANY_REQUESTS,
        "The owner has the maximum number of unfinished jobs; `Retry-After` is set.",
    ),
    "TOO_MANY_TRANSFERS": Code(
        HTTPStatus.TOO_MANY_REQUESTS,
        "The owner has `SPINELABEL_API_MAX_TRANSFERS_PER_OWNER` uploads and downloads in progress; "
        "`Retry-After` is set.",
    ),
    "HOST_NOT_ALLOWED": Code(
        HTTPStatus.MISDIRECTED_REQUEST,
        "A server without API keys was addressed by a host name other than localhost or a loopback "
        "address.",
    ),
    "PROXY_WITHOUT_KEYS": Code(
        HTTPStatus.MISDIRECTED_REQUEST,
        "A server without API keys received a forwarded request (`X-Forwarded-*`, `X-Real-IP`, "
        "`Forwarded` or `Via`).",
    ),
    "CROSS_SITE": Code(
        HTTPStatus.FORBIDDEN,
        "A browser sent the request for a page of another site: `Sec-Fetch-Site` says so, or "
        "`Origin` is not this server.",
    ),
    "ADMIN_ONLY": Code(
        HTTPStatus.FORBIDDEN,
        "The resource covers the jobs of all owners and requires an admin's key.",
    ),
    "NOT_FOUND": Code(HTTPStatus.NOT_FOUND, "There is no resource at this path."),
    "METHOD_NOT_ALLOWED": Code(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "The resource does not support this method; the `Allow` header lists those that it "
        "supports.",
    ),
    "BODY_TOO_LARGE": Code(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "A body other than a file is larger than 1 MiB; or, without a key, larger than 64 KiB or "
        "of unknown length.",
    ),
    "REQUEST_STALLED": Code(
        HTTPStatus.REQUEST_TIMEOUT,
        "The headers did not arrive within `SPINELABEL_API_HEADER_TIMEOUT_S` seconds, or a body of "
        "up to 64 KiB did not "
        "arrive within `SPINELABEL_API_BODY_TIMEOUT_S` seconds.",
    ),
    # Uploads
    "URI_TOO_LONG": Code(
        HTTPStatus.REQUEST_URI_TOO_LONG,
        "The URI is longer than 8,190 bytes.",
    ),
    "HEADERS_TOO_LARGE": Code(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "There are more than 100 headers, or one is too long.",
    ),
    "NO_FILE": Code(HTTPStatus.BAD_REQUEST, "The request contains no file."),
    "MULTIPLE_FILES": Code(HTTPStatus.BAD_REQUEST, "The form contains more than one file."),
    "UNKNOWN_FIELD": Code(HTTPStatus.BAD_REQUEST, "A form field is unknown."),
    "MALFORMED_FORM": Code(HTTPStatus.BAD_REQUEST, "The multipart form is malformed."),
    "UPLOAD_INTERRUPTED": Code(
        HTTPStatus.BAD_REQUEST, "The connection ended before the file was complete."
    ),
    "UPLOAD_STALLED": Code(
        HTTPStatus.REQUEST_TIMEOUT,
        "Nothing arrived for `SPINELABEL_API_IDLE_TIMEOUT_S` seconds, the rate fell below "
        "`SPINELABEL_API_MIN_BYTES_PER_S`, "
        "or the upload was considered lost.",
    ),
    "FILE_TOO_LARGE": Code(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The file is larger than `SPINELABEL_MAX_UPLOAD_BYTES`.",
    ),
    "UNSUPPORTED_CONTENT_ENCODING": Code(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body has a `Content-Encoding`."
    ),
    "IDEMPOTENCY_KEY_IN_USE": Code(
        HTTPStatus.CONFLICT,
        "Another request with this `Idempotency-Key` is in progress; `Retry-After` is set.",
    ),
    "IDEMPOTENCY_KEY_REUSED": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "This `Idempotency-Key` was used with another file or other options within the last 24 "
        "hours.",
    ),
    # Catalogues
    "CATALOGUE_UNREADABLE": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The file cannot be read as a catalogue."
    ),
    "EMPTY_FILE": Code(HTTPStatus.UNPROCESSABLE_ENTITY, "The file contains only white space."),
    "NOT_TEXT": Code(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The file is an image, an archive or another unsupported format.",
    ),
    "HEADER_UNREADABLE": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The column names are longer than 64 KiB, the header does not end within the first 256 "
        "KiB, or it contains an "
        "unclosed quotation mark.",
    ),
    "TOO_MANY_COLUMNS": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The header has more than 2,000 columns. If a row of a workbook has more, this is the "
        "`error` of the job.",
    ),
    "NO_SUMMARY_COLUMN": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY, "No summary column was recognised, and none was named."
    ),
    "SUMMARY_COLUMN_NOT_FOUND": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The named summary column is not in the header."
    ),
    "TITLE_COLUMN_NOT_FOUND": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The named title column is not in the header."
    ),
    "NO_ROWS": Code(HTTPStatus.UNPROCESSABLE_ENTITY, "The file has a header and no rows."),
    "CORRUPT_ARCHIVE": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY, "A gzip or ZIP file is corrupt or truncated."
    ),
    "ENCRYPTED_ARCHIVE": Code(HTTPStatus.UNPROCESSABLE_ENTITY, "A ZIP archive is encrypted."),
    "EMPTY_ARCHIVE": Code(HTTPStatus.UNPROCESSABLE_ENTITY, "A ZIP archive contains no file."),
    "MULTIPLE_FILES_IN_ARCHIVE": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "A ZIP archive contains more than one file, or its directory is larger than 1 MiB.",
    ),
    "UNPACKED_TOO_LARGE": Code(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The unpacked file is larger than `SPINELABEL_MAX_UNPACKED_BYTES`, or its compression "
        "ratio exceeds 100.",
    ),
    "WORKBOOK_UNREADABLE": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "An Excel workbook is corrupt or unsupported: rows out of order, a row or text of more "
        "than 4 MiB, or a document type declaration.",
    ),
    "LINE_TOO_LONG": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "A line is longer than 4 MiB. If it is found during planning, this is the `error` of the "
        "job.",
    ),
    "PREVIEW_NEEDS_WHOLE_FILE": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Only a part of a ZIP archive or workbook was sent for a preview.",
    ),
    # Jobs
    "JOB_NOT_FOUND": Code(HTTPStatus.NOT_FOUND, "There is no job with this id, or it was deleted."),
    "JOB_NOT_ENDED": Code(HTTPStatus.CONFLICT, "Only ended jobs can be deleted."),
    "RESULT_NOT_READY": Code(HTTPStatus.CONFLICT, "The job has not ended yet."),
    "RESULT_EXPIRED": Code(
        HTTPStatus.GONE, "The files of the job were deleted at the end of their retention."
    ),
    "RESULT_MISSING": Code(HTTPStatus.NOT_FOUND, "The job ended without producing this file."),
    "ROW_NOT_FOUND": Code(HTTPStatus.NOT_FOUND, "The result has fewer rows."),
    "INVALID_GENRE": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "A corrected genre is empty, too long, or would be run as a formula by a spreadsheet.",
    ),
    "RANGE_NOT_SATISFIABLE": Code(
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "The range starts beyond the end of the file."
    ),
    "EVIDENCE_UNAVAILABLE": Code(
        HTTPStatus.CONFLICT,
        "Evidence was requested, and the model does not provide it. If this is found later, it is "
        "the `error` of the job.",
    ),
    "NOT_ACCEPTABLE": Code(
        HTTPStatus.NOT_ACCEPTABLE,
        "The `Accept` header lists no format that results are available in.",
    ),
    "TOO_MANY_ROWS_FOR_XLSX": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The result has more rows than an Excel sheet supports."
    ),
    "MODEL_UNKNOWN": Code(HTTPStatus.NOT_FOUND, "No live worker reports a model."),
    "MODEL_UNAVAILABLE": Code(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "No worker reaches a usable model; `Retry-After` is set.",
    ),
    "LABEL_TIMEOUT": Code(
        HTTPStatus.GATEWAY_TIMEOUT,
        "No worker responded within `SPINELABEL_LABEL_TIMEOUT_S` seconds; `Retry-After` is set.",
    ),
    "TOO_MANY_LONG_POLLS": Code(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The maximum number of event streams (`SPINELABEL_API_MAX_LONG_POLLS`) or of label "
        "requests (a quarter of "
        "`SPINELABEL_API_THREADS`) is reached; `Retry-After` is set.",
    ),
    # The server
    "SERVICE_UNAVAILABLE": Code(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The job store cannot be reached or refuses writes; `Retry-After` is set.",
    ),
    "SERVER_BUSY": Code(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The server has the maximum number of uploads and downloads in progress "
        "(`SPINELABEL_API_MAX_TRANSFERS`); `Retry-After` is set.",
    ),
    "STORAGE_UNAVAILABLE": Code(
        HTTPStatus.SERVICE_UNAVAILABLE, "The storage is unavailable; `Retry-After` is set."
    ),
    "JOB_STORE_FULL": Code(
        HTTPStatus.INSUFFICIENT_STORAGE,
        "The job store is full. Jobs can still be read and deleted.",
    ),
    "STORAGE_FULL": Code(HTTPStatus.INSUFFICIENT_STORAGE, "The storage is full."),
    "INTERNAL_ERROR": Code(
        HTTPStatus.INTERNAL_SERVER_ERROR, "An error in Spinelabel, which was logged."
    ),
}
