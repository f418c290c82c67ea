"""What very much of everything does to a laptop stack with the shipped model.

    python -m benchmarks.scale [--rows 1000000] [--upload-mb 2000] [--polls 200] [--polled-rows 40000] [--jobs 1000] [--huge-jobs 2]

0 leaves a part out. A million rows take some ten minutes of two cores; the cache of labels is off.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.local_stack import stop_on_sigterm
from benchmarks.scale.big_job import big_job
from benchmarks.scale.fairness import fairness
from benchmarks.scale.polling import polled
from benchmarks.scale.queue import queued
from benchmarks.scale.upload import big_upload
from benchmarks.speed.spinelabel_runner import system


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--upload-mb", type=int, default=2_000)
    parser.add_argument("--polls", type=int, default=200, help="a second")
    # Ten seconds: a look may be a twentieth of the job's age old, a fifth of a second at most.
    parser.add_argument("--polled-rows", type=int, default=40_000, help="of the job asked about")
    parser.add_argument("--jobs", type=int, default=1_000)
    parser.add_argument("--huge-jobs", type=int, default=2)
    options = parser.parse_args()
    stop_on_sigterm()
    with (
        system(prediction_cache_max_entries=0) as stack,
        tempfile.TemporaryDirectory() as temporary,
    ):
        folder = Path(temporary)
        parts = [
            queued(stack, options.jobs) if options.jobs else (),
            polled(stack, folder, options.polls, options.polled_rows) if options.polls else (),
            fairness(stack, folder, options.huge_jobs) if options.huge_jobs else (),
            big_upload(stack, folder, options.upload_mb) if options.upload_mb else (),
            big_job(stack, folder, options.rows) if options.rows else (),
        ]
        for part in parts:
            for line in part:
                print(line, flush=True)
            print(f"  (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)", flush=True)


if __name__ == "__main__":
    main()
