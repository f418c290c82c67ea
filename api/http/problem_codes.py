"""Every code that a problem document can carry, with its status and when it is used.

The description of the HTTP surface names them for each operation, and `docs/errors.md` is made from this table.
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
        "A parameter, an option or a field has a value that cannot be used; the sentence names it.",
    ),
    "INVALID_BODY": Code(HTTPStatus.BAD_REQUEST, "The body is not the JSON object it has to be."),
    "UNKNOWN_PARAMETER": Code(
        HTTPStatus.BAD_REQUEST,
        "A parameter is not known; a mistyped one is refused rather than ignored.",
    ),
    "INVALID_CURSOR": Code(
        HTTPStatus.BAD_REQUEST,
        "The place at which a list should go on is not there, or not any more.",
    ),
    "UNAUTHENTICATED": Code(
        HTTPStatus.UNAUTHORIZED, "The server asks for an API key, and the request has none."
    ),
    "INVALID_API_KEY": Code(HTTPStatus.UNAUTHORIZED, "The API key is not known or was revoked."),
    "TOO_MANY_REQUESTS": Code(
        HTTPStatus.TOO_MANY_REQUESTS,
        "The key has sent as many requests as it may in a minute; `Retry-After` is set.",
    ),
    "TOO_MANY_OPEN_JOBS": Code(
        HTTPStatus.TOO_MANY_REQUESTS,
        "The key's owner has as many jobs under way as allowed; `Retry-After` is set.",
    ),
    "TOO_MANY_TRANSFERS": Code(
        HTTPStatus.TOO_MANY_REQUESTS,
        "The key's owner has `SPINELABEL_API_MAX_TRANSFERS_PER_OWNER` uploads and downloads under way; `Retry-After` is set.",
    ),
    "HOST_NOT_ALLOWED": Code(
        HTTPStatus.MISDIRECTED_REQUEST,
        "A server without keys was addressed by a name that is not this machine's.",
    ),
    "PROXY_WITHOUT_KEYS": Code(
        HTTPStatus.MISDIRECTED_REQUEST,
        "A server without keys got a request that a proxy passed on (`X-Forwarded-*`, `X-Real-IP`, `Forwarded` or `Via`).",
    ),
    "CROSS_SITE": Code(
        HTTPStatus.FORBIDDEN,
        "A browser sent the request on behalf of another site's page: `Sec-Fetch-Site` says so, or `Origin` is not this server's.",
    ),
    "ADMIN_ONLY": Code(
        HTTPStatus.FORBIDDEN,
        "What was asked for is about everybody's jobs, and the key is no admin's.",
    ),
    "NOT_FOUND": Code(HTTPStatus.NOT_FOUND, "There is nothing at this address."),
    "METHOD_NOT_ALLOWED": Code(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "The address is known, but not with this method; the `Allow` header names those it has.",
    ),
    "BODY_TOO_LARGE": Code(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "A body that is not a file is larger than 1 MiB or, without a key, larger than 64 KiB or of unknown length.",
    ),
    "REQUEST_STALLED": Code(
        HTTPStatus.REQUEST_TIMEOUT,
        "The head did not arrive within `SPINELABEL_API_HEADER_TIMEOUT_S` seconds, or a body of up to 64 KiB not within "
        "`SPINELABEL_API_BODY_TIMEOUT_S`.",
    ),
    # Uploads
    "URI_TOO_LONG": Code(
        HTTPStatus.REQUEST_URI_TOO_LONG,
        "The address with its parameters is longer than 8,190 bytes.",
    ),
    "HEADERS_TOO_LARGE": Code(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are more than 100 or too long."
    ),
    "NO_FILE": Code(HTTPStatus.BAD_REQUEST, "The request holds no file."),
    "MULTIPLE_FILES": Code(HTTPStatus.BAD_REQUEST, "The form holds more than one file."),
    "UNKNOWN_FIELD": Code(HTTPStatus.BAD_REQUEST, "A field of the form is not known."),
    "MALFORMED_FORM": Code(HTTPStatus.BAD_REQUEST, "The multipart form cannot be read."),
    "UPLOAD_INTERRUPTED": Code(
        HTTPStatus.BAD_REQUEST, "The connection ended before the file was complete."
    ),
    "UPLOAD_STALLED": Code(
        HTTPStatus.REQUEST_TIMEOUT,
        "For `SPINELABEL_API_IDLE_TIMEOUT_S` seconds nothing arrived, or less than `SPINELABEL_API_MIN_BYTES_PER_S` bytes a second; "
        "or the upload was given up for lost.",
    ),
    "FILE_TOO_LARGE": Code(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The file is larger than `SPINELABEL_MAX_UPLOAD_BYTES`.",
    ),
    "UNSUPPORTED_CONTENT_ENCODING": Code(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is announced with a `Content-Encoding`."
    ),
    "IDEMPOTENCY_KEY_IN_USE": Code(
        HTTPStatus.CONFLICT,
        "Another request with this `Idempotency-Key` is under way; `Retry-After` is set.",
    ),
    "IDEMPOTENCY_KEY_REUSED": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "This `Idempotency-Key` came with another file or other options within the last 24 hours.",
    ),
    # Catalogues
    "CATALOGUE_UNREADABLE": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The file cannot be read as a catalogue."
    ),
    "EMPTY_FILE": Code(HTTPStatus.UNPROCESSABLE_ENTITY, "The file holds nothing but white space."),
    "NOT_TEXT": Code(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The file is an image, an archive or some other format that is not read.",
    ),
    "HEADER_UNREADABLE": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The column names are longer than 64 KiB, the header does not end within the first 256 KiB, or a quotation mark "
        "in it is never closed.",
    ),
    "TOO_MANY_COLUMNS": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The header has more than 2,000 columns. For a row of a workbook with more, it is the job's `error`.",
    ),
    "NO_SUMMARY_COLUMN": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY, "No column looks like the summary, and none was named."
    ),
    "SUMMARY_COLUMN_NOT_FOUND": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The summary column that was named is not in the header."
    ),
    "TITLE_COLUMN_NOT_FOUND": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The title column that was named is not in the header."
    ),
    "NO_ROWS": Code(HTTPStatus.UNPROCESSABLE_ENTITY, "There is a header and nothing below it."),
    "CORRUPT_ARCHIVE": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY, "A gzip or ZIP file cannot be unpacked, or ends early."
    ),
    "ENCRYPTED_ARCHIVE": Code(HTTPStatus.UNPROCESSABLE_ENTITY, "A ZIP archive has a password."),
    "EMPTY_ARCHIVE": Code(HTTPStatus.UNPROCESSABLE_ENTITY, "A ZIP archive holds no file."),
    "MULTIPLE_FILES_IN_ARCHIVE": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "A ZIP archive holds more than one file, or its directory is larger than 1 MiB.",
    ),
    "UNPACKED_TOO_LARGE": Code(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "Unpacked, the file is larger than `SPINELABEL_MAX_UNPACKED_BYTES`, or more than 100 times as large as packed.",
    ),
    "WORKBOOK_UNREADABLE": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "An Excel workbook is damaged or very unusual: its rows out of order, a row or a text of more than 4 MiB, a document type.",
    ),
    "LINE_TOO_LONG": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "A single line is longer than 4 MiB; found while the job is planned, it is the job's `error`.",
    ),
    "PREVIEW_NEEDS_WHOLE_FILE": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "A ZIP archive or workbook was sent for a preview in part.",
    ),
    # Jobs
    "JOB_NOT_FOUND": Code(
        HTTPStatus.NOT_FOUND, "There is no job with this id, or it has been deleted."
    ),
    "JOB_NOT_ENDED": Code(HTTPStatus.CONFLICT, "The job has to end before it can be deleted."),
    "RESULT_NOT_READY": Code(HTTPStatus.CONFLICT, "The job has not ended yet."),
    "RESULT_EXPIRED": Code(HTTPStatus.GONE, "The job's files were deleted by retention."),
    "RESULT_MISSING": Code(HTTPStatus.NOT_FOUND, "The job ended without leaving this file."),
    "ROW_NOT_FOUND": Code(HTTPStatus.NOT_FOUND, "The result has fewer rows."),
    "INVALID_GENRE": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "A genre that a person gives is empty, too long, or would do harm in a spreadsheet's cell.",
    ),
    "RANGE_NOT_SATISFIABLE": Code(
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "The range begins beyond the file's end."
    ),
    "EVIDENCE_UNAVAILABLE": Code(
        HTTPStatus.CONFLICT,
        "Evidence was asked for, and the model cannot say which words weighed most; found later, it is the job's `error`.",
    ),
    "NOT_ACCEPTABLE": Code(
        HTTPStatus.NOT_ACCEPTABLE, "The `Accept` header names no format that results have."
    ),
    "TOO_MANY_ROWS_FOR_XLSX": Code(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The result has more rows than a sheet can hold."
    ),
    "MODEL_UNKNOWN": Code(HTTPStatus.NOT_FOUND, "No worker has reported a model lately."),
    "MODEL_UNAVAILABLE": Code(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "No worker reaches a model that it can use; `Retry-After` is set.",
    ),
    "LABEL_TIMEOUT": Code(
        HTTPStatus.GATEWAY_TIMEOUT,
        "No worker answered within `SPINELABEL_LABEL_TIMEOUT_S` seconds; `Retry-After` is set.",
    ),
    "TOO_MANY_LONG_POLLS": Code(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "As many clients wait for events (`SPINELABEL_API_MAX_LONG_POLLS`) or for single labels (a quarter of "
        "`SPINELABEL_API_THREADS`) as may; `Retry-After` is set.",
    ),
    # The server
    "SERVICE_UNAVAILABLE": Code(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The job records cannot be reached, or not be written; `Retry-After` is set.",
    ),
    "SERVER_BUSY": Code(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "As many uploads and downloads are under way as the server takes (`SPINELABEL_API_MAX_TRANSFERS`); `Retry-After` is set.",
    ),
    "STORAGE_UNAVAILABLE": Code(
        HTTPStatus.SERVICE_UNAVAILABLE, "The storage cannot be used; `Retry-After` is set."
    ),
    "JOB_STORE_FULL": Code(
        HTTPStatus.INSUFFICIENT_STORAGE,
        "The memory of the job records is full. Jobs can be read and deleted.",
    ),
    "STORAGE_FULL": Code(HTTPStatus.INSUFFICIENT_STORAGE, "The storage is full."),
    "INTERNAL_ERROR": Code(
        HTTPStatus.INTERNAL_SERVER_ERROR, "A fault in Spinelabel; it has been logged."
    ),
}
