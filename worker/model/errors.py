"""What can go wrong between a worker and the model; the caller decides by the type, a person reads the sentence."""

from __future__ import annotations

from jobs.job import PinnedModel


class ModelError(Exception):
    """The root of the model client's errors.

    Attributes:
        code: the gRPC status name of the last answer, such as `UNAVAILABLE`; empty where none was involved.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class ModelUnavailable(ModelError):
    """The model did not answer within the bound. Nothing is wrong with the texts: try the chunk again later."""


class ModelReplaced(ModelUnavailable):
    """Another model serves under the version number of the one that was asked for, which is gone as if withdrawn."""

    def __init__(self, model: PinnedModel) -> None:
        super().__init__(
            f"another model serves as version {model.version} now; the one wanted described itself with the digest "
            f"{model.digest[:12]}",
            code="NOT_FOUND",
        )


class ModelRejected(ModelError):
    """The model refuses these texts, now and always. Halve the batch to find the guilty row."""


class ModelMismatch(ModelError):
    """The served model is not one this worker can use. Deploy model and worker of the same release.

    Attributes:
        failure_code: what a job that needs this model fails with.
    """

    failure_code = "MODEL_MISMATCH"


class EvidenceMissing(ModelMismatch):
    """The served model labels, but cannot say which words weighed most. Do without, or publish one that can."""

    failure_code = "EVIDENCE_UNAVAILABLE"
