"""`/v1/preview`: preview a file before uploading it."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_openapi3.blueprint import APIBlueprint

from api.auth.caller import caller
from api.http.openapi_responses import problems
from api.jobs.schemas import as_json
from api.jobs.scoped_store import ScopedJobStore
from api.openapi import JOBS, described_routes
from api.settings import ApiSettings
from api.uploads.preview import preview
from api.uploads.preview_schemas import PreviewDocument, PreviewQuery
from api.uploads.request_stream import read_upload
from api.uploads.upload_description import READING_PROBLEMS, UPLOAD_BODY
from jobs.files.storage import Storage


def preview_routes(settings: ApiSettings, store: ScopedJobStore, storage: Storage) -> APIBlueprint:
    """Routes over these services."""
    routes = described_routes("preview", JOBS)

    @routes.post(
        "/v1/preview",
        responses={200: PreviewDocument, **problems(*READING_PROBLEMS, "PREVIEW_NEEDS_WHOLE_FILE")},
        description="Accepts the same files as an upload, or the beginning of a text or gzip file "
        "together with "
        "`total_bytes`. Nothing is stored.",
        openapi_extensions=UPLOAD_BODY,
    )
    def preview_catalogue(query: PreviewQuery) -> dict[str, Any]:
        """Preview a file"""
        upload = read_upload(request, query, limit=caller().upload_bytes)
        document = preview(
            upload,
            query,
            content_length=request.content_length,
            store=store,
            storage=storage,
            max_unpacked=settings.max_unpacked_bytes,
        )
        return as_json(document)

    return routes
