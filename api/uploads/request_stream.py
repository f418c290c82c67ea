"""Streams the file of a request: raw body or multipart form, without buffering it.

Flask's form parser is not used: it spools files to a temporary folder and refuses raw form bodies
over 500 kB.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from http import HTTPStatus

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData
from werkzeug.wrappers import Request

from api.http.problems import Problem
from api.uploads.options import OPTIONS, Options, SubmitQuery

BLOCK_BYTES = 256 * 1024

_FILE_PART = "file"
# Boundaries, part headers and fields of a multipart body, without the file.
_FORM_OVERHEAD_BYTES = 64 * 1024
_MAX_FIELD_BYTES = 4 * 1024
_MAX_PARTS = 16
_DECODER_BYTES = 4 * BLOCK_BYTES


class Upload(ABC):
    """One incoming file.

    `filename` is set with the first block, `options` are complete after the last.
    """

    filename: str | None = None
    options: Options

    @property
    @abstractmethod
    def column_may_follow(self) -> bool:
        """Whether the unread rest of the body may name columns."""

    @abstractmethod
    def blocks(self) -> Iterator[bytes]:
        """Yield the file, once.

        Raises `Problem` if the body stalls or is truncated, too large or malformed.
        """


def read_upload(request: Request, query: SubmitQuery, *, limit: int) -> Upload:
    """Prepare reading the upload of `request`, whose file may have `limit` bytes.

    Reads no body yet. Raises `Problem` for invalid headers.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_CONTENT_ENCODING",
            "Content-Encoding is not supported; send the file without it.",
        )
    if not request.mimetype.startswith("multipart/"):
        return _RawUpload(request, query, limit)
    boundary = request.mimetype_params.get("boundary")
    if request.mimetype != "multipart/form-data" or not boundary:
        raise _malformed("the Content-Type must be multipart/form-data with a boundary")
    return _MultipartUpload(request, query, limit, boundary)


class _RawUpload(Upload):
    """The body is the file; name and options are in the query or in Content-Disposition."""

    column_may_follow = False

    def __init__(self, request: Request, query: SubmitQuery, limit: int) -> None:
        _, disposition = parse_options_header(request.headers.get("Content-Disposition"))
        self.filename = query.filename or disposition.get("filename")
        self.options = query
        if request.content_length is None and "Transfer-Encoding" not in request.headers:
            raise _no_file("The request has no body")
        self._body = _Body(request, limit, limit)

    def blocks(self) -> Iterator[bytes]:
        return self._body.blocks()


class _MultipartUpload(Upload):
    """A form with a file and option fields before or after it."""

    column_may_follow = True

    def __init__(self, request: Request, query: SubmitQuery, limit: int, boundary: str) -> None:
        self.options = query
        self._limit = limit
        self._boundary = boundary.encode("utf-8")
        self._body = _Body(request, limit + _FORM_OVERHEAD_BYTES, limit)
        self._has_file = False

    def blocks(self) -> Iterator[bytes]:
        part, value, size = "", bytearray(), 0
        for event in self._events():
            if isinstance(event, File | Field):
                part = self._begin(event)
                value.clear()
            elif isinstance(event, Data) and part == _FILE_PART:
                size += len(event.data)
                if size > self._limit:
                    raise too_large(self._limit)
                if event.data:
                    yield event.data
            elif isinstance(event, Data):
                value += event.data
                if len(value) > _MAX_FIELD_BYTES:
                    raise _malformed(f"the field {part!r} is too long")
                if not event.more_data:
                    self.options = self.options.updated(part, value.decode("utf-8", "replace"))
        self.column_may_follow = False
        if not self._has_file or (not size and not self.filename):
            # A form that was sent without choosing a file has an empty part without a name.
            raise _no_file("The form has no file")

    def _begin(self, part: File | Field) -> str:
        # A part with a file name is the file, whatever its field name.
        if isinstance(part, File) or part.name == _FILE_PART:
            if self._has_file:
                raise Problem(
                    HTTPStatus.BAD_REQUEST,
                    "MULTIPLE_FILES",
                    "The form contains more than one file; send one file per request.",
                )
            self._has_file = True
            self.filename = part.filename if isinstance(part, File) else None
            return _FILE_PART
        if part.name not in OPTIONS:
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "UNKNOWN_FIELD",
                f"The form field {str(part.name)[:64]!r} is unknown; "
                f"send the file as {_FILE_PART!r}, and options as {' or '.join(sorted(OPTIONS))}.",
            )
        return part.name

    def _events(self) -> Iterator[Event]:
        decoder = MultipartDecoder(self._boundary, _DECODER_BYTES, max_parts=_MAX_PARTS)
        blocks = self._body.blocks()
        while True:
            try:
                decoder.receive_data(next(blocks, None))
                while not isinstance(event := decoder.next_event(), NeedData):
                    yield event
                    if isinstance(event, Epilogue):
                        return
            except (ValueError, RequestEntityTooLarge) as error:
                raise _malformed("it ends early or breaks the format") from error


class _Body:
    """The request body in blocks, with a size limit."""

    def __init__(self, request: Request, limit: int, file_limit: int) -> None:
        self._stream = request.stream
        self._content_length = request.content_length
        self._limit = limit
        self._file_limit = file_limit  # named in the problem
        if self._content_length is not None and self._content_length > limit:
            raise too_large(file_limit)

    def blocks(self) -> Iterator[bytes]:
        received = 0
        while block := self._read():
            received += len(block)
            if received > self._limit:
                raise too_large(self._file_limit)
            yield block
        # gunicorn ends a truncated body like a complete one.
        if self._content_length is not None and received < self._content_length:
            raise _interrupted()

    def _read(self) -> bytes:
        try:
            return self._stream.read(BLOCK_BYTES)
        except TimeoutError as error:
            raise Problem(
                HTTPStatus.REQUEST_TIMEOUT,
                "UPLOAD_STALLED",
                "The upload stalled; check the connection and upload the file again.",
            ) from error
        except Exception as error:  # any error while reading is the connection or its framing
            raise _interrupted() from error


def too_large(limit: int) -> Problem:
    """Return the problem of a file over `limit` bytes."""
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "FILE_TOO_LARGE",
        f"The file is larger than {limit:,} bytes; split the catalogue into several files, "
        "or ask the operator to raise SPINELABEL_MAX_UPLOAD_BYTES.",
    )


def _malformed(what: str) -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "MALFORMED_FORM",
        f"The form cannot be read: {what}. Send multipart/form-data, or the file as the plain "
        "body.",
    )


def _no_file(what: str) -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "NO_FILE",
        f"{what}; send the catalogue as the form part {_FILE_PART!r} or as the plain body.",
    )


def _interrupted() -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "UPLOAD_INTERRUPTED",
        "The upload ended before the file was complete; upload it again.",
    )
