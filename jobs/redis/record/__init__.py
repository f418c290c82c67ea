"""Redis adapters of the ports to the job record, bundled by `jobs.redis.job_store`."""
