"""Registry of the served models: identifies the model behind a version number.

A version number is not an identity: another model can be published under a used number. A model is
identified by the digest of its description. `confirm` compares the digest again after a chunk has
been predicted and before its labels are kept. With that one request per chunk, probabilities of one
model are never interpreted with the description of another.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from catalogue.text.cleaning import CLEANING_FINGERPRINT
from jobs.job import PinnedModel
from worker.model.client import ModelClient, ModelMismatch, ModelRejected, ModelUnavailable
from worker.model.description import ModelDescription
from worker.model.errors import EvidenceMissing, ModelReplaced
from worker.model.signatures import PROBE

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A usable model and the version number under which it was described."""

    version: int
    description: ModelDescription

    @property
    def pinned(self) -> PinnedModel:
        """Version and digest, as a job records them."""
        return PinnedModel(self.version, self.description.digest)


class ModelRegistry:
    """The models behind one client. Caches descriptions; thread-safe."""

    def __init__(self, client: ModelClient) -> None:
        self.client = client
        self._by_version: dict[int, ServedModel] = {}
        # By digest. Without failed calls, since a failing server may have the signature.
        self._evidence_by_digest: dict[str, bool] = {}

    def describe(self, version: int) -> ServedModel:
        """Ask the server for the model that is served under this number.

        Raises:
            ModelUnavailable: no response within the retry budget.
            ModelMismatch: not a Spinelabel model, or its cleaning fingerprint differs.
        """
        description = self.client.describe(version)
        if description.cleaning_fingerprint != CLEANING_FINGERPRINT:
            raise ModelMismatch(
                f"Model version {version} was trained on texts cleaned by other rules "
                f"({description.cleaning_fingerprint[:12]}) than this worker's "
                f"({CLEANING_FINGERPRINT[:12]}). Publish a model trained with this release, "
                "or run the release that trained it."
            )
        model = ServedModel(version=version, description=description)
        self._by_version[version] = model
        return model

    def newest_usable(self) -> ServedModel:
        """Return the newest version that this worker can use.

        A version that does not fit is skipped: one bad publication must not stop new jobs.

        Raises:
            ModelUnavailable: no version is served.
            ModelMismatch: no served version can be used.
        """
        first_error: ModelMismatch | None = None
        for version in self.client.versions():
            try:
                return self.describe(version)
            except ModelMismatch as error:
                log.error("model_version_skipped", version=version, error=error)
                first_error = first_error or error
        assert first_error is not None  # `versions` returns at least one
        raise first_error

    def pinned(self, model: PinnedModel) -> ServedModel:
        """Return the model that a job is pinned to; asks the server unless it is cached.

        Raises:
            ModelReplaced: another model is served under its number.
            ModelUnavailable, ModelMismatch: see `describe`.
        """
        served = self._by_version.get(model.version)
        if served is None or served.pinned != model:
            served = self.describe(model.version)
        if served.pinned != model:
            raise ModelReplaced(model)
        return served

    def confirm(self, model: ServedModel) -> None:
        """Ask the server whether this model is still served under its number.

        Raises:
            ModelReplaced: another model is served under its number.
            ModelUnavailable, ModelMismatch: see `describe`.
        """
        if self.describe(model.version).pinned != model.pinned:
            raise ModelReplaced(model.pinned)

    def has_evidence(self, model: ServedModel) -> bool:
        """Whether this model has an evidence signature; cached once the model has answered.

        Raises:
            ModelUnavailable: no response, or the model fails, which may be transient.
        """
        digest = model.description.digest
        if digest not in self._evidence_by_digest:
            try:
                self.client.explain(model.version, [PROBE]).result()
            except ModelMismatch as error:
                log.info("model_without_evidence", version=model.version, error=error)
                has_evidence = False
            except ModelRejected as error:
                raise ModelUnavailable(
                    f"model version {model.version} fails to compute evidence: {error}",
                    code=error.code,
                ) from error
            else:
                has_evidence = True
            self.confirm(model)
            self._evidence_by_digest[digest] = has_evidence
        return self._evidence_by_digest[digest]

    def require_evidence(self, model: ServedModel) -> None:
        """Raise `EvidenceMissing` if the model has none, `ModelUnavailable` if it fails."""
        if not self.has_evidence(model):
            raise EvidenceMissing(
                f"Model version {model.version} provides no evidence. Label without evidence, "
                "or publish a model trained with this release."
            )
