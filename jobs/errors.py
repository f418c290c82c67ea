"""One error root; each error's docstring is its message and its cure."""

from __future__ import annotations


class JobError(Exception):
    """Something about a job cannot be done; the subclasses say what and what to do."""


class JobNotFound(JobError):
    """There is no job with this id; it may have been deleted, or the id is mistyped."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no job {job_id!r}; check the id, or list the jobs.")
        self.job_id = job_id


class IllegalTransition(JobError):
    """The job's state does not allow this step; read the job again and act on its state."""

    def __init__(self, job_id: str, state: str, wanted: str) -> None:
        super().__init__(f"Job {job_id} is {state}; it cannot become {wanted} from there.")
        self.state = state
        self.wanted = wanted


class LeaseLost(JobError):
    """Another process holds this step now; stop at once and write nothing more for it."""

    def __init__(self, job_id: str, step: str) -> None:
        super().__init__(f"The lease on {step} of job {job_id} is no longer ours.")
        self.step = step


class UploadLost(JobError):
    """Nothing was heard of the upload for so long that what had arrived was removed; upload the file again."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            "The upload stood still for so long that what had arrived was removed; upload the file again."
        )
        self.job_id = job_id


class TooManyOpenJobs(JobError):
    """The owner has as many jobs under way as allowed; wait for one to end, or cancel one."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"{most} jobs are under way, and no more are allowed at a time; "
            "wait until one has ended, or cancel one."
        )


class IdempotencyKeyLost(JobError):
    """The request took longer than its key is held, and another one may have taken its place; send it again."""

    def __init__(self) -> None:
        super().__init__("The request's key is no longer held; send the request again.")


class ApiKeyNotFound(JobError):
    """There is no API key with this id; list the keys."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"There is no key {key_id!r}; list the keys to see their ids.")
