"""`/v1/label`: label a few summaries synchronously."""

from __future__ import annotations

from typing import Any

from flask_openapi3.blueprint import APIBlueprint

from api.auth.caller import caller
from api.http.openapi_responses import problems
from api.jobs.schemas import as_json
from api.label.client import LabelClient
from api.label.schemas import LabelBody, LabelsDocument
from api.openapi import LABELS, described_routes


def label_routes(client: LabelClient) -> APIBlueprint:
    """Routes over the label client."""
    routes = described_routes("labels", LABELS)

    @routes.post(
        "/v1/label",
        responses={
            200: LabelsDocument,
            **problems(
                "INVALID_BODY",
                "INVALID_PARAMETER",
                "UNKNOWN_PARAMETER",
                "CROSS_SITE",
                "BODY_TOO_LARGE",
                "EVIDENCE_UNAVAILABLE",
                "MODEL_UNAVAILABLE",
                "TOO_MANY_LONG_POLLS",
                "LABEL_TIMEOUT",
            ),
        },
        description="Uses the newest model and the same rules as for catalogues. For more than a "
        "few "
        "summaries, upload a catalogue.",
    )
    def label_summaries(body: LabelBody) -> dict[str, Any]:
        """Label a few summaries synchronously"""
        response = client.label(body.to_request(caller().owner))
        return as_json(LabelsDocument.of(response, evidence=body.evidence))

    return routes
