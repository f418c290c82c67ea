"""Load tests: rows per job, bytes per upload, polls per second, queued jobs, fairness."""
