"""Errors of jobs. Each message says what is wrong and, where the reader can act, what to do."""

from __future__ import annotations


class JobError(Exception):
    """Base class of the errors of this package."""


class JobNotFound(JobError):
    """There is no job with this id: it was deleted, or the id is wrong."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no job {job_id!r}; check the id, or list the jobs.")
        self.job_id = job_id


class IllegalTransition(JobError):
    """The job's state does not allow this transition."""

    def __init__(self, job_id: str, state: str, target: str) -> None:
        super().__init__(f"Job {job_id} is {state}; it cannot become {target}.")
        self.state = state
        self.target = target


class LeaseLost(JobError):
    """Another process has claimed this step, or the job has ended: stop, and write nothing more."""

    def __init__(self, job_id: str, step: str) -> None:
        super().__init__(f"The lease on {step} of job {job_id} is lost.")
        self.step = step


class UploadLost(JobError):
    """The upload stalled for so long that its data was deleted."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            "The upload stalled for so long that its data was deleted; upload the file again."
        )
        self.job_id = job_id


class TooManyOpenJobs(JobError):
    """The owner has the maximum number of unfinished jobs."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The maximum of {limit} unfinished jobs is reached; "
            "wait until one has ended, or cancel one."
        )


class IdempotencyKeyLost(JobError):
    """The lease on the idempotency key has expired; another request may have claimed the key."""

    def __init__(self) -> None:
        super().__init__("The lease on the idempotency key has expired; send the request again.")


class ApiKeyNotFound(JobError):
    """There is no API key with this id."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"There is no key {key_id!r}; list the keys to see their ids.")
