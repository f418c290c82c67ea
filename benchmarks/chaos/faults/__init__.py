"""FaultInjector: processes, messages, clock, disk, and named steps of a job."""
