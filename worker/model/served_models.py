"""Which model serves under which version number, and whether it still does.

A version number is no identity: another tool can publish another model under a number that was used. What a model is
known by is the digest of its description, and `confirm` asks for that once more when a chunk has been predicted and
before anything of it is kept. So one request per chunk keeps the answers of one model from being decided by the
description of another.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from catalogue.text.cleaning import CLEANING_FINGERPRINT
from jobs.job import PinnedModel
from worker.model.client import ModelClient, ModelMismatch, ModelRejected, ModelUnavailable
from worker.model.description import ModelDescription
from worker.model.errors import EvidenceMissing, ModelReplaced
from worker.model.signatures import PROBE

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A model that this worker can use, and the number it was served under when it was described."""

    version: int
    description: ModelDescription

    @property
    def pinned(self) -> PinnedModel:
        """What a job that uses this model records."""
        return PinnedModel(self.version, self.description.digest)


class ServedModels:
    """The models behind one client. Remembers descriptions; several threads may use it."""

    def __init__(self, client: ModelClient) -> None:
        self.client = client
        self._known: dict[int, ServedModel] = {}
        # By digest, and only what the model itself has answered: a server that fails may have the signature all the same.
        self._gives_evidence: dict[str, bool] = {}

    def describe(self, version: int) -> ServedModel:
        """The model that serves under this number now; asks the server.

        Raises `ModelUnavailable`, `ModelMismatch` (not a model of ours, or its cleaning rules are not ours).
        """
        description = self.client.describe(version)
        if description.cleaning_fingerprint != CLEANING_FINGERPRINT:
            raise ModelMismatch(
                f"Model version {version} was trained on texts cleaned by other rules "
                f"({description.cleaning_fingerprint[:12]}) than this worker's "
                f"({CLEANING_FINGERPRINT[:12]}). Publish a model trained with this release, "
                "or run the release that trained it."
            )
        found = ServedModel(version=version, description=description)
        self._known[version] = found
        return found

    def newest_usable(self) -> ServedModel:
        """The newest version that this worker can use; one bad publication must not stop new jobs.

        Raises `ModelUnavailable` when none serves, `ModelMismatch` when none of them can be used.
        """
        problem: ModelMismatch | None = None
        for version in self.client.versions():
            try:
                return self.describe(version)
            except ModelMismatch as error:
                log.error("model version %d is not used: %s", version, error)
                problem = problem or error
        assert problem is not None  # there is at least one version
        raise problem

    def pinned(self, model: PinnedModel) -> ServedModel:
        """The model that a job is pinned to; asks the server only where it is not known from before.

        Raises `ModelReplaced` when another one serves under its number, `ModelUnavailable`, `ModelMismatch`.
        """
        known = self._known.get(model.version)
        if known is None or known.pinned != model:
            known = self.describe(model.version)
        if known.pinned != model:
            raise ModelReplaced(model)
        return known

    def confirm(self, model: ServedModel) -> None:
        """Ask the server whether this model still serves under its number.

        Raises `ModelReplaced` when another one does, `ModelUnavailable`, `ModelMismatch`.
        """
        if self.describe(model.version).pinned != model.pinned:
            raise ModelReplaced(model.pinned)

    def gives_evidence(self, model: ServedModel) -> bool:
        """Whether this model can say which words weighed most; asked until it has answered once.

        Raises `ModelUnavailable`, also where the model fails at it: that may pass.
        """
        digest = model.description.digest
        if digest not in self._gives_evidence:
            try:
                self.client.explain(model.version, [PROBE]).result()
            except ModelMismatch as error:
                log.info("model version %d gives no evidence: %s", model.version, error)
                found = False
            except ModelRejected as error:
                raise ModelUnavailable(
                    f"model version {model.version} fails to say which words weighed most: {error}",
                    code=error.code,
                ) from error
            else:
                found = True
            self.confirm(model)
            self._gives_evidence[digest] = found
        return self._gives_evidence[digest]

    def require_evidence(self, model: ServedModel) -> None:
        """Raises `EvidenceMissing`, `ModelUnavailable`."""
        if not self.gives_evidence(model):
            raise EvidenceMissing(
                f"Model version {model.version} cannot say which words weighed most. Ask without evidence, "
                "or publish a model trained with this release."
            )
