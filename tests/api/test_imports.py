"""What the API's process carries along."""

from __future__ import annotations

import subprocess
import sys

EVERYTHING = """
import sys
import api.__main__, api.app, jobs.redis.job_store, jobs.files.storage, jobs.queue.celery_app, jobs.queue.task_queue
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_the_api_loads_neither_model_nor_worker_nor_the_data_stack() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", EVERYTHING], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"worker", "training", "serving", "grpc", "tensorflow", "pandas", "numpy", "nltk"}
    assert heavy.isdisjoint(loaded)
