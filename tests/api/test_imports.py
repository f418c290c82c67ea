"""Packages that the API process imports."""

from __future__ import annotations

import subprocess
import sys

PRINT_PACKAGES = """
import sys
import api.__main__, api.app, jobs.redis.job_store, jobs.files.storage, jobs.queue.celery_app, jobs.queue.task_queue
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_the_api_imports_neither_worker_nor_training_nor_data_packages() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", PRINT_PACKAGES], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"worker", "training", "serving", "grpc", "tensorflow", "pandas", "numpy", "nltk"}
    assert heavy.isdisjoint(loaded)
