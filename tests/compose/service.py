"""An HTTP client for a stack of which parts may be unavailable for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from tests.waiting import WITHIN_S, eventually

ENDED = ("completed", "failed", "cancelled", "expired")


class Service:
    """HTTP requests to one stack."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=WITHIN_S)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str) -> httpx.Response | None:
        """None while the API does not answer or reports that a part is unavailable."""
        try:
            response = self._http.get(path)
        except httpx.TransportError:
            return None
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return None
        # A worker that is starved of CPU may miss its report while the model is exchanged.
        if response.status_code == httpx.codes.NOT_FOUND and "MODEL_UNKNOWN" in response.text:
            return None
        return response

    def wait(
        self, path: str, done: Callable[[Any], bool], *, seconds: float, what: str
    ) -> dict[str, Any]:
        """Poll until the JSON document satisfies `done`."""
        last: dict[str, Any] = {}

        def is_done() -> bool:
            response = self.get(path)
            if response is None:
                return False
            assert response.status_code == httpx.codes.OK, response.text
            last.clear()
            last.update(response.json() or {})
            return done(last)

        eventually(is_done, within_s=seconds, every_s=0.2, what=lambda: f"not {what}: {last}")
        return last

    def wait_ready(self, *, workers: int = 1, seconds: float = 240) -> None:
        """Wait until jobs can be labelled by this number of workers."""
        self.wait(
            "/readyz",
            lambda ready: ready["ready"] and ready["checks"]["workers"]["count"] >= workers,
            seconds=seconds,
            what=f"ready with {workers} workers",
        )

    def submit(self, catalogue: bytes) -> str:
        """Upload the catalogue; return the job's id."""
        response = self._http.post("/v1/jobs", files={"file": ("catalogue.csv", catalogue)})
        assert response.status_code == httpx.codes.ACCEPTED, response.text
        return str(response.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        response = self._http.get(f"/v1/jobs/{job_id}")
        assert response.status_code == httpx.codes.OK, response.text
        return dict(response.json())

    def wait_in_progress(self, job_id: str, *, seconds: float = 240) -> dict[str, Any]:
        """Wait until some rows are labelled; the job must not have ended by then."""
        job = self.wait(
            f"/v1/jobs/{job_id}",
            lambda job: job["row_counts"]["labelled"] > 0 or job["state"] in ENDED,
            seconds=seconds,
            what="some rows labelled",
        )
        assert job["state"] not in ENDED, f"the catalogue is too small to be in progress: {job}"
        return job

    def wait_ended(self, job_id: str, *, seconds: float) -> dict[str, Any]:
        return self.wait(
            f"/v1/jobs/{job_id}",
            lambda job: job["state"] in ENDED,
            seconds=seconds,
            what="the job ends",
        )

    def result(self, job_id: str) -> bytes:
        response = self._http.get(f"/v1/jobs/{job_id}/result")
        assert response.status_code == httpx.codes.OK, response.text
        return response.content

    def wait_result(self, job_id: str, *, seconds: float) -> bytes:
        """Wait until the job is completed with every row counted; return its result."""
        job = self.wait_ended(job_id, seconds=seconds)
        assert job["state"] == "completed", job
        counts = job["row_counts"]
        assert counts["labelled"] + counts["failed"] == counts["total"], job
        return self.result(job_id)
