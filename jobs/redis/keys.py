"""The names of all Redis keys. Every key begins with `spinelabel:`; no other file spells one.

| key | type | contents |
|---|---|---|
| `job:{id}` | hash | state, `at:STATE` (ms), counts, `genre:NAME`, `error:CODE`, model, `fence`, `fence:STEP` |
| `job:{id}:schema` | string | the catalogue's schema as compressed JSON; deleted with the files |
| `job:{id}:chunks` | hash | chunk index → chunk as JSON |
| `job:{id}:outputs` | hash | index of a committed chunk → its counts and manifest as JSON |
| `job:{id}:leases` | zset | step → when its lease expires (ms) |
| `job:{id}:sent` | zset | step that is due → when it was last enqueued (ms) |
| `job:{id}:attempts` | hash | step → number of claims; `released:STEP` → newest released fence |
| `job:{id}:deliveries` | list | webhook attempts, as JSON |
| `job:{id}:corrections` | hash | row → the genre that a person chose; `revision` → number of changes |
| `jobs:active` | set | ids of jobs that are not terminal |
| `jobs:created` | zset | id → when it was created (ms) |
| `jobs:of:{owner}` | zset | the same, for the jobs of one owner |
| `jobs:open:{owner}` | set | ids of the owner's jobs that are not terminal |
| `jobs:ended` | zset | id of an ended job with files → when it ended (ms) |
| `jobs:emptied` | zset | id of an ended job without files → when it ended (ms) |
| `uploads` | zset | id of an upload in progress → seconds of silence counted so far |
| `webhooks:due` | zset | id of a job whose webhook is due → when the next attempt is due (ms) |
| `webhooks:secrets` | hash | owner → the secrets that sign webhooks, as JSON |
| `api_keys` | hash | id of an API key → its record as JSON, with the key's digest, never the key |
| `idempotency:{name}` | hash | `token` of the claim; when completed, `job` and `fingerprint` |
| `label_request:{id}` | string | texts to label synchronously, as JSON; expires with the client's deadline |
| `label_response:{id}` | list | one element, the response as JSON; expires after a minute |
| `rate_limit:…` | list | times of a key's latest requests; written by the `limits` library |
| `workers` | hash | worker name → time of its last report (ms), a space, the model it reaches as JSON |
| `workers:progress` | hash | worker name → when it last waited for messages or worked (ms) |
| `totals` | hash | rows ever `labelled`, `failed`, `to_review`; jobs `ended:STATE`; only grows |
| `metrics` | hash | counters and histograms of the workers' work, see `jobs/metrics.py`; only grows |
| `metrics:genres` | hash | genre → rows ever labelled so; only grows |
| `cache:young`, `cache:old` | hash | digest of text and model → time (4 bytes, s), probabilities |

Times come from the Redis server's clock, so the clocks of API and workers need not agree.
"""

from __future__ import annotations

_PREFIX = "spinelabel:"

ACTIVE = f"{_PREFIX}jobs:active"
CREATED = f"{_PREFIX}jobs:created"
ENDED = f"{_PREFIX}jobs:ended"
UPLOADS = f"{_PREFIX}uploads"
EMPTIED = f"{_PREFIX}jobs:emptied"
WEBHOOKS_DUE = f"{_PREFIX}webhooks:due"
WEBHOOK_SECRETS = f"{_PREFIX}webhooks:secrets"
API_KEYS = f"{_PREFIX}api_keys"
RATE_LIMIT_PREFIX = f"{_PREFIX}rate_limit"
WORKERS = f"{_PREFIX}workers"
WORKERS_PROGRESS = f"{WORKERS}:progress"
PROBE = f"{_PREFIX}probe"  # never exists
TOTALS = f"{_PREFIX}totals"
METRICS = f"{_PREFIX}metrics"
METRICS_GENRES = f"{METRICS}:genres"
CACHE_YOUNG = f"{_PREFIX}cache:young"
CACHE_OLD = f"{_PREFIX}cache:old"


class JobKeys:
    """The keys of one job."""

    def __init__(self, job_id: str) -> None:
        self.job = f"{_PREFIX}job:{job_id}"
        self.schema = f"{self.job}:schema"
        self.chunks = f"{self.job}:chunks"
        self.outputs = f"{self.job}:outputs"
        self.leases = f"{self.job}:leases"
        self.sent = f"{self.job}:sent"
        self.attempts = f"{self.job}:attempts"
        self.deliveries = f"{self.job}:deliveries"
        self.corrections = f"{self.job}:corrections"

    def all(self) -> list[str]:
        """Every key that holds something of the job, its record first."""
        return list(vars(self).values())


def owned_by(owner: str) -> str:
    """The key that lists one owner's jobs."""
    return f"{_PREFIX}jobs:of:{owner}"


def open_of(owner: str) -> str:
    """The key of the set of one owner's jobs that are not terminal."""
    return f"{_PREFIX}jobs:open:{owner}"


def idempotency_key(name: str) -> str:
    """The key of a client's idempotency key."""
    return f"{_PREFIX}idempotency:{name}"


def label_request_key(request_id: str) -> str:
    """The key of a label request."""
    return f"{_PREFIX}label_request:{request_id}"


def label_response_key(request_id: str) -> str:
    """The key of the response to a label request."""
    return f"{_PREFIX}label_response:{request_id}"
