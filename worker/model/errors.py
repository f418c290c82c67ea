"""Errors of the model client. Callers branch on the type; the message is for people."""

from __future__ import annotations

from jobs.job import PinnedModel


class ModelError(Exception):
    """Base class of the model client's errors.

    Attributes:
        code: gRPC status name of the last response, such as `UNAVAILABLE`; empty without one.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class ModelUnavailable(ModelError):
    """The model did not answer within the retry budget. The texts are fine: retry later."""


class ModelReplaced(ModelUnavailable):
    """Another model is served under the pinned version number; the pinned one is gone."""

    def __init__(self, model: PinnedModel) -> None:
        super().__init__(
            f"another model is served as version {model.version}; the pinned one had the digest "
            f"{model.digest[:12]}",
            code="NOT_FOUND",
        )


class ModelRejected(ModelError):
    """The model rejects these texts permanently. Bisect the batch to find the failing row."""


class ModelMismatch(ModelError):
    """This worker cannot use the served model. Deploy model and worker of the same release.

    Attributes:
        failure_code: failure code of a job that needs this model.
    """

    failure_code = "MODEL_MISMATCH"


class EvidenceMissing(ModelMismatch):
    """The served model has no evidence signature. Omit the option or publish one that has it."""

    failure_code = "EVIDENCE_UNAVAILABLE"
