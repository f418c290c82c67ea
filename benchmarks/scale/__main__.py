"""Load tests of a local stack with the shipped model.

    python -m benchmarks.scale [--rows 1000000] [--upload-mb 2000] [--polls 200]
                               [--polled-rows 40000] [--jobs 1000] [--huge-jobs 2]

0 skips a part. A million rows take about ten minutes on two cores. The prediction cache is off.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.local_stack import stop_on_sigterm
from benchmarks.scale.big_job import measure_big_job
from benchmarks.scale.fairness import measure_fairness
from benchmarks.scale.polling import measure_polling
from benchmarks.scale.queue import measure_queue
from benchmarks.scale.upload import measure_upload
from benchmarks.speed.spinelabel_runner import warm_stack


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="of one job (default: 1000000)")
    parser.add_argument(
        "--upload-mb", type=int, default=2_000, help="of one upload (default: 2000)"
    )
    parser.add_argument(
        "--polls", type=int, default=200, help="status requests per second (default: 200)"
    )
    parser.add_argument(
        "--polled-rows", type=int, default=40_000, help="rows of the polled job (default: 40000)"
    )
    parser.add_argument("--jobs", type=int, default=1_000, help="queued jobs (default: 1000)")
    parser.add_argument(
        "--huge-jobs", type=int, default=2, help="of 100,000 rows, next to small ones (default: 2)"
    )
    options = parser.parse_args()
    stop_on_sigterm()
    with (
        warm_stack(prediction_cache_max_entries=0) as stack,
        tempfile.TemporaryDirectory() as temporary,
    ):
        folder = Path(temporary)
        parts = [
            measure_queue(stack, options.jobs) if options.jobs else (),
            measure_polling(stack, folder, options.polls, options.polled_rows)
            if options.polls
            else (),
            measure_fairness(stack, folder, options.huge_jobs) if options.huge_jobs else (),
            measure_upload(stack, folder, options.upload_mb) if options.upload_mb else (),
            measure_big_job(stack, folder, options.rows) if options.rows else (),
        ]
        for part in parts:
            for line in part:
                print(line, flush=True)
            print(f"  (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)", flush=True)


if __name__ == "__main__":
    main()
