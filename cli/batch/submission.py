"""Submits a catalogue so that repeating it leads to the same job, which is how `label` resumes.

The Idempotency-Key of an upload is made from what is uploaded: the file's bytes, its name and the
options. A second command with the same file gets the job that the first one created, without any
local state. The server keeps keys for a day.

A job that cannot be resumed (it failed, was cancelled or deleted) has used its key up; the next key
is the digest with the next number. All commands try the same sequence, so they find the same job.
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

# Problem codes of a key that is used up and has no job.
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
    """The catalogue's job: that of an earlier command, or a new one.

    Args:
        again: do not use a job that has ended.

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
    raise AssertionError("the sequence of keys has no end")


def _serves(job: JobDocument, client: Client, again: bool) -> bool:
    """Whether an earlier command's job can be used instead of a new one."""
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
