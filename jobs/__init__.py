"""What a job is: its states and counts, the ports `JobStore`, `Storage` and `TaskQueue`, and their adapters."""
