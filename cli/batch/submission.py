"""Submits a catalogue so that doing it again leads to the same job: that is how `label` resumes.

The Idempotency-Key of an upload is made from what is uploaded: the file's bytes, its name and the options. A second
command with the same file thus gets the job that the first one made, without either having kept anything. The server
remembers keys for a day.

A job that cannot be gone on with (it failed, was cancelled, or is gone) has used its key up; then the next in a row of
keys is tried. Every command goes along the same row, so all of them arrive at the same job.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path

from ..client import Client
from ..errors import ApiProblem
from ..http.actions import OnBytes
from ..http.api_calls import Submitted
from ..http.job_document import JobDocument
from ..http.label_options import LabelOptions

# What the server says of a key that is used up without a job to show for it.
_USED_UP = frozenset({"JOB_NOT_FOUND", "IDEMPOTENCY_KEY_REUSED"})


def submit(
    client: Client,
    path: Path,
    *,
    filename: str,
    options: LabelOptions,
    again: bool,
    on_bytes: OnBytes,
) -> Submitted:
    """The catalogue's job: one that an earlier command has made, or a new one.

    Args:
        again: a job that has ended is not taken, although its result is there.

    Raises what `Client.upload` raises.
    """
    digest = _digest(path, filename, options)
    for attempt in itertools.count():
        try:
            submitted = client.upload(
                path,
                filename=filename,
                options=options,
                key=f"{digest}-{attempt}",
                on_bytes=on_bytes,
            )
        except ApiProblem as problem:
            if problem.code in _USED_UP:
                continue
            raise
        if not submitted.repeated or _serves(submitted.job, client, again):
            return submitted
    raise AssertionError("the row of keys has no end")


def _serves(job: JobDocument, client: Client, again: bool) -> bool:
    """Whether an earlier command's job is as good as a new one."""
    if job.state == "cancelling":
        return False
    if not job.ended:
        return True
    if again or not (job.completed and job.has_result):
        return False
    newest = client.model_version()
    return newest is None or newest == job.model_version


def _digest(path: Path, filename: str, options: LabelOptions) -> str:
    with path.open("rb") as catalogue:
        digest = hashlib.file_digest(catalogue, "sha256")
    digest.update(json.dumps([filename, options.query()], sort_keys=True).encode())
    return digest.hexdigest()
