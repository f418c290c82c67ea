"""`AsyncClient`: the HTTP API as coroutines, for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import httpx

from .http.actions import Action, Download, FileBody, OnBytes, RunBlocking, Send, Sleep, Upload
from .http.api_calls import ApiCalls, Call, OnWaiting, Result, Submitted
from .http.job_document import JobDocument
from .http.label_document import LabelDocument
from .http.label_options import LabelOptions
from .http.poll_interval import PollInterval

_DEFAULT_OPTIONS = LabelOptions()


class AsyncClient:
    """One server. Use it as an asynchronous context manager, or call `close`.

    Every method raises `ApiProblem` when the server refuses a request and `ServerUnreachable` when
    it does not answer. Requests that can be repeated safely are retried for up to `patience_s`
    seconds; `on_waiting` is called with the error before each delay and may raise.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        patience_s: float = 60.0,
        on_waiting: OnWaiting = lambda _: None,
    ) -> None:
        """Raises `BadInput` for an address or a key that cannot be used."""
        self._calls = ApiCalls(url, api_key=api_key, patience_s=patience_s, on_waiting=on_waiting)
        self._http = httpx.AsyncClient(**self._calls.http_settings)

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return self._calls.url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def upload(
        self,
        path: Path,
        *,
        filename: str | None = None,
        options: LabelOptions = _DEFAULT_OPTIONS,
        key: str | None = None,
        on_bytes: OnBytes = lambda _done, _total: None,
    ) -> Submitted:
        """Submit a catalogue, which is streamed from the disk. Raises OSError if it cannot be read.

        Args:
            filename: the catalogue's name at the server; by default its name on the disk.
            key: its idempotency key. With one, the upload is repeated after a broken connection;
                without one it is not, because the server may have created the job.
            on_bytes: called with the bytes that were sent, and their total.
        """
        call = self._calls.upload(
            path, filename=filename, options=options, key=key, on_bytes=on_bytes
        )
        return await self._run(call)

    async def label(
        self, summary: str, *, title: str = "", evidence: bool = False
    ) -> LabelDocument:
        """Label one summary synchronously."""
        return await self._run(self._calls.label(summary, title=title, evidence=evidence))

    async def job(self, job_id: str) -> JobDocument:
        """The job's present state."""
        return await self._run(self._calls.job(job_id))

    async def jobs(self, limit: int = 20) -> list[JobDocument]:
        """The newest jobs, at most `limit`."""
        return await self._run(self._calls.jobs(limit))

    async def follow(self, job_id: str) -> AsyncIterator[JobDocument]:
        """Poll the job until it has ended; the last document is that of the ended job."""
        interval = PollInterval()
        while True:
            job = await self.job(job_id)
            yield job
            if job.ended:
                return
            await asyncio.sleep(interval.seconds())

    async def model(self) -> dict[str, Any]:
        """The description of the newest model."""
        return await self._run(self._calls.model())

    async def model_version(self) -> int | None:
        """The newest model's version; None if no worker has reported one lately."""
        return await self._run(self._calls.model_version())

    async def cancel(self, job_id: str) -> JobDocument:
        """Cancel the job. Cancelling it again has no effect."""
        return await self._run(self._calls.cancel(job_id))

    async def download(
        self, job_id: str, target: Path, on_bytes: OnBytes = lambda _done, _total: None
    ) -> int:
        """Write the result to `target` and return its size in bytes. Raises OSError.

        A broken download is resumed. `target` is replaced atomically, after the last byte.
        """
        return await self._run(self._calls.download(job_id, target, on_bytes))

    async def alive(self) -> bool:
        """Whether the API answers at all. Never raises."""
        return await self._run(self._calls.alive())

    async def not_ready_reason(self) -> str | None:
        """Why the server is not ready, as a phrase; None when it is ready. Never raises."""
        return await self._run(self._calls.not_ready_reason())

    async def _run(self, call: Call[Result]) -> Result:
        try:
            action = next(call)
            while True:
                try:
                    response = await self._perform(action)
                except httpx.HTTPError as error:
                    action = call.throw(error)
                else:
                    action = call.send(response)
        except StopIteration as end:
            result: Result = end.value
            return result
        finally:
            call.close()

    async def _perform(self, action: Action) -> httpx.Response | None:
        match action:
            case Send():
                return self._record_response(await self._http.request(**action.arguments()))
            case Upload():
                with action.file.open("rb") as file:
                    body = FileBody(file, action.on_bytes)
                    return self._record_response(
                        await self._http.post(
                            action.path,
                            params=action.query,
                            headers=action.headers | {"Content-Length": str(body.size)},
                            content=body.async_blocks(),
                        )
                    )
            case Download(target=target):
                headers = target.request_headers()
                async with self._http.stream("GET", action.path, headers=headers) as response:
                    self._record_response(response)
                    if not target.accepts(response):
                        await response.aread()
                        return response
                    target.begin(response)
                    async for block in response.aiter_raw():
                        action.write(block)
                    target.end_of_response()
                    return response
            case Sleep():
                await asyncio.sleep(action.seconds)
            case RunBlocking():
                await asyncio.to_thread(action.function)
        return None

    def _record_response(self, response: httpx.Response) -> httpx.Response:
        self._calls.has_answered = True
        return response
