"""The names of all keys in Redis, every one under the prefix `spinelabel:`; no other file spells one.

| key                  | type | what it holds                                                                       |
|----------------------|------|-------------------------------------------------------------------------------------|
| `job:{id}`           | hash | state, `at:STATE` (ms), counts, `genre:NAME`, pinned model, `fence` counter, `fence:STEP` in force |
| `job:{id}:layout`    | string | the catalogue's layout as compressed JSON; goes with the files                     |
| `job:{id}:chunks`    | hash | chunk index → chunk as JSON                                                         |
| `job:{id}:parts`     | hash | index of a committed chunk → its counts and seal as JSON                            |
| `job:{id}:leases`    | zset | step → when its lease runs out (ms)                                                 |
| `job:{id}:sent`      | zset | step that should be under way → when its message was last sent (ms)                 |
| `job:{id}:attempts`  | hash | step → number of claims; `released:STEP` → newest fence that was given back          |
| `job:{id}:deliveries`| list | attempts to call back, as JSON                                                      |
| `job:{id}:corrections`| hash | row → the genre that a person gave; `revision` → number of changes               |
| `jobs:active`        | set  | ids of jobs that are not terminal                                                   |
| `jobs:created`       | zset | id → when it was created (ms)                                                       |
| `jobs:of:{owner}`    | zset | the same for the jobs of one owner                                                  |
| `jobs:open:{owner}`  | set  | ids of the owner's jobs that are not terminal                                       |
| `jobs:ended`         | zset | id of a job that still has files → when it ended (ms)                               |
| `jobs:emptied`       | zset | id of a job whose files are deleted → when it ended (ms)                            |
| `uploads`            | zset | id of a job whose input is under way → seconds of silence that sweeps have counted   |
| `callbacks:due`      | zset | id of a job whose caller has to be told → when the next attempt is due (ms)         |
| `callbacks:secrets`  | hash | owner → the secrets that sign calls back, as JSON                                   |
| `api_keys`           | hash | id of an API key → its record as JSON, with the key's digest, never the key         |
| `request:{name}`     | hash | `token` of who holds a request's key; once settled, its `job` and `fingerprint`      |
| `question:{id}`      | string | summaries to be labelled at once, as JSON; kept as long as the API waits              |
| `answer:{id}`        | list | one element, what became of them, as JSON; kept for a minute                        |
| `requests:…`         | list | when a key sent its latest requests; kept by the library that counts them            |
| `workers`            | hash | worker name → when it last reported (ms), a space, the model it reaches as JSON      |
| `totals`             | hash | rows ever `labelled`, `failed`, `to_review`; jobs `ended:STATE`; only ever grows     |
| `labels:young`, `:old`| hash | digest of text and model → when it was put (4 bytes, s) and the probabilities        |

Times come from the Redis server's clock, so the clocks of API and workers need not agree.
"""

from __future__ import annotations

_PREFIX = "spinelabel:"

ACTIVE = f"{_PREFIX}jobs:active"
CREATED = f"{_PREFIX}jobs:created"
ENDED = f"{_PREFIX}jobs:ended"
UPLOADS = f"{_PREFIX}uploads"
EMPTIED = f"{_PREFIX}jobs:emptied"
WEBHOOKS_DUE = f"{_PREFIX}callbacks:due"
WEBHOOK_SECRETS = f"{_PREFIX}callbacks:secrets"
API_KEYS = f"{_PREFIX}api_keys"
REQUEST_COUNTS = f"{_PREFIX}requests"
WORKERS = f"{_PREFIX}workers"
PROBE = f"{_PREFIX}probe"  # never there
TOTALS = f"{_PREFIX}totals"
CACHE_YOUNG = f"{_PREFIX}labels:young"
CACHE_OLD = f"{_PREFIX}labels:old"


class JobKeys:
    """The keys of one job."""

    def __init__(self, job_id: str) -> None:
        self.job = f"{_PREFIX}job:{job_id}"
        self.layout = f"{self.job}:layout"
        self.chunks = f"{self.job}:chunks"
        self.parts = f"{self.job}:parts"
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


def request_key(name: str) -> str:
    """The key of a request that may be repeated."""
    return f"{_PREFIX}request:{name}"


def label_request_key(question_id: str) -> str:
    """The key of a question that waits for a worker."""
    return f"{_PREFIX}question:{question_id}"


def label_response_key(question_id: str) -> str:
    """The key under which whoever asked waits for the answer."""
    return f"{_PREFIX}answer:{question_id}"
