"""What the tasks work with; made once per process."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from celery import Celery

from catalogue import CLEANING_FINGERPRINT
from jobs.job import Failure, State
from jobs.label_cache import LabelCache, NoLabelCache
from jobs.messages import CeleryMessages, Messages
from jobs.questions import Questions
from jobs.redis_callbacks import RedisCallbackStore
from jobs.redis_label_cache import RedisLabelCache
from jobs.redis_questions import RedisQuestions
from jobs.redis_store import RedisJobStore
from jobs.storage import Storage
from jobs.store import Commit, JobStore
from worker.callback_post import Poster
from worker.callbacks import CallbackSender
from worker.model_client import ModelClient, ModelMismatch, ModelRejected
from worker.model_description import ModelDescription
from worker.model_errors import EvidenceMissing
from worker.settings import WorkerSettings

log = logging.getLogger(__name__)

_ANY_WORD = "book"

INPUT_MISSING = Failure(
    code="INPUT_MISSING",
    message="The uploaded file is no longer in the storage; upload the catalogue again.",
)


@dataclass(frozen=True)
class Services:
    """The ports, and the settings that shape the work."""

    store: JobStore
    storage: Storage
    messages: Messages
    questions: Questions
    model: ModelClient
    labels: LabelCache
    settings: WorkerSettings
    _described: dict[int, ModelDescription] = field(default_factory=dict)
    _explaining: dict[int, bool] = field(default_factory=dict)

    def describe(self, version: int) -> ModelDescription:
        """What this model version says of itself; asked once per process, since versions never change.

        Raises `ModelUnavailable`, `ModelMismatch` (its cleaning rules are not ours).
        """
        if version not in self._described:
            description = self.model.describe(version)
            if description.cleaning_fingerprint != CLEANING_FINGERPRINT:
                raise ModelMismatch(
                    f"Model version {version} was trained on texts cleaned by other rules "
                    f"({description.cleaning_fingerprint[:12]}) than this worker's "
                    f"({CLEANING_FINGERPRINT[:12]}). Publish a model trained with this release, "
                    "or run the release that trained it."
                )
            self._described[version] = description
        return self._described[version]

    def gives_evidence(self, version: int) -> bool:
        """Whether this model version can say which words weighed most; asked once per process.

        Raises `ModelUnavailable`.
        """
        if version not in self._explaining:
            try:
                self.model.explain(version, [_ANY_WORD]).result()
            except (ModelMismatch, ModelRejected) as error:
                log.info("model version %d gives no evidence: %s", version, error)
                self._explaining[version] = False
            else:
                self._explaining[version] = True
        return self._explaining[version]

    def require_evidence(self, version: int) -> None:
        """Raises `EvidenceMissing`, `ModelUnavailable`."""
        if not self.gives_evidence(version):
            raise EvidenceMissing(
                f"Model version {version} cannot say which words weighed most. Ask without evidence, "
                "or publish a model trained with this release."
            )

    def newest_usable_version(self) -> int:
        """The newest version that this worker can use; one bad publication must not stop new jobs.

        Raises `ModelUnavailable` when none serves, `ModelMismatch` when none of them can be used.
        """
        problem: ModelMismatch | None = None
        for version in self.model.versions():
            try:
                self.describe(version)
            except ModelMismatch as error:
                log.error("model version %d is not used: %s", version, error)
                problem = problem or error
            else:
                return version
        assert problem is not None  # there is at least one version
        raise problem

    def fail(self, job_id: str, failure: Failure) -> None:
        """End the job as failed; what was labelled is kept."""
        log.error("%s: failed: %s: %s", job_id, failure.code, failure.message)
        self.store.end(job_id, State.FAILED, failure)
        self.messages.assemble(job_id)

    def follow(self, job_id: str, commit: Commit) -> None:
        """Send what a committed step leads to. A message lost here is enqueued again by `recover_jobs`."""
        for index in commit.hand_out:
            self.messages.label(job_id, index)
        if commit.last:
            self.messages.assemble(job_id)


def connect(settings: WorkerSettings, app: Celery) -> Services:
    """The real services. Nothing connects before its first use, so this may run before a fork."""
    return Services(
        store=RedisJobStore(settings.redis_url),
        storage=Storage(settings.storage_url),
        messages=CeleryMessages(app),
        questions=RedisQuestions(settings.redis_url),
        model=ModelClient(
            settings.model_target,
            settings.model_name,
            deadline_s=settings.model_deadline_s,
            retry_for_s=settings.model_retry_s,
        ),
        labels=_label_cache(settings),
        settings=settings,
    )


def _label_cache(settings: WorkerSettings) -> LabelCache:
    if not settings.label_cache_rows:
        return NoLabelCache()
    return RedisLabelCache(
        settings.redis_url, most=settings.label_cache_rows, ttl_s=settings.label_cache_ttl_s
    )


def connect_sender(settings: WorkerSettings, store: JobStore) -> CallbackSender:
    """What tells callers that their jobs have ended."""
    return CallbackSender(
        store=store,
        callbacks=RedisCallbackStore(settings.redis_url),
        poster=Poster(timeout_s=settings.callback_timeout_s, rules=settings.callback_rules),
        retries_s=settings.callback_retries_s,
    )
