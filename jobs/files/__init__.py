"""Files of a job: storage, paths, chunk outputs."""
