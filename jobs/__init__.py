"""Jobs: states and counts, the ports to record, files and task queues, and their adapters."""
