"""Size limit of request bodies other than uploads."""

from __future__ import annotations

from flask import Flask, request

_STREAMED = frozenset({"jobs.submit_job", "preview.preview_catalogue"})
_MAX_BYTES = 1 << 20


def register_bodies(app: Flask) -> None:
    """Limit bodies that are read into memory. Uploads are streamed and have their own limit."""

    @app.before_request
    def limit_body() -> None:
        if request.endpoint not in _STREAMED:
            request.max_content_length = _MAX_BYTES
