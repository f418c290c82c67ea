"""From a request's body to a job: the file, its options, and the look into it beforehand."""
