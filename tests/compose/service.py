"""The stack's front door, for a test that expects parts of it to be away for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from tests.waiting import WITHIN_S, eventually

ENDED = ("completed", "failed", "cancelled", "expired")


class Service:
    """HTTP to one running stack."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=WITHIN_S)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str) -> httpx.Response | None:
        """None while nobody answers, or somebody says that a part is away."""
        try:
            answer = self._http.get(path)
        except httpx.TransportError:
            return None
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return None
        # A worker that is starved of CPU may miss its report while the model is exchanged.
        if answer.status_code == httpx.codes.NOT_FOUND and "MODEL_UNKNOWN" in answer.text:
            return None
        return answer

    def wait(
        self, path: str, done: Callable[[Any], bool], *, seconds: float, what: str
    ) -> dict[str, Any]:
        """Poll until the JSON document satisfies `done`."""
        last: dict[str, Any] = {}

        def is_done() -> bool:
            answer = self.get(path)
            if answer is None:
                return False
            assert answer.status_code == httpx.codes.OK, answer.text
            last.clear()
            last.update(answer.json() or {})
            return done(last)

        eventually(is_done, within_s=seconds, every_s=0.2, what=lambda: f"not {what}: {last}")
        return last

    def wait_ready(self, *, workers: int = 1, seconds: float = 240) -> None:
        """Until jobs can be worked on, by so many workers."""
        self.wait(
            "/readyz",
            lambda ready: ready["ready"] and ready["checks"]["workers"]["count"] >= workers,
            seconds=seconds,
            what=f"ready with {workers} workers",
        )

    def submit(self, catalogue: bytes) -> str:
        """Upload; the job's id."""
        answer = self._http.post("/v1/jobs", files={"file": ("catalogue.csv", catalogue)})
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self._http.get(f"/v1/jobs/{job_id}")
        assert answer.status_code == httpx.codes.OK, answer.text
        return dict(answer.json())

    def wait_in_flight(self, job_id: str, *, seconds: float = 240) -> dict[str, Any]:
        """Until some rows are labelled; the job must not have ended by then."""
        job = self.wait(
            f"/v1/jobs/{job_id}",
            lambda job: job["row_counts"]["labelled"] > 0 or job["state"] in ENDED,
            seconds=seconds,
            what="some rows labelled",
        )
        assert job["state"] not in ENDED, f"the catalogue is too small to be in flight: {job}"
        return job

    def wait_ended(self, job_id: str, *, seconds: float) -> dict[str, Any]:
        return self.wait(
            f"/v1/jobs/{job_id}",
            lambda job: job["state"] in ENDED,
            seconds=seconds,
            what="the job ends",
        )

    def result(self, job_id: str) -> bytes:
        answer = self._http.get(f"/v1/jobs/{job_id}/result")
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.content

    def completed(self, job_id: str, *, seconds: float) -> bytes:
        """The result, once the job is completed with every row accounted for."""
        job = self.wait_ended(job_id, seconds=seconds)
        assert job["state"] == "completed", job
        counts = job["row_counts"]
        assert counts["labelled"] + counts["failed"] == counts["total"], job
        return self.result(job_id)
