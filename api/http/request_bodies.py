"""How much of a request's body is read: of an upload all, of anything else a bounded piece."""

from __future__ import annotations

from flask import Flask, request

_STREAMED = frozenset({"jobs.submit_job", "preview.preview_catalogue"})
_LARGEST_BYTES = 1 << 20


def register_bodies(app: Flask) -> None:
    """Bound what is read into memory; uploads bound themselves."""

    @app.before_request
    def bound() -> None:
        if request.endpoint not in _STREAMED:
            request.max_content_length = _LARGEST_BYTES
