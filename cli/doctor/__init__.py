"""Whether this machine and this installation can do the work."""
