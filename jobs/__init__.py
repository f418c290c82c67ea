"""Jobs: states and counts, the ports to the job record, files and task queues, and their adapters."""
