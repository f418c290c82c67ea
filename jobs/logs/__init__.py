"""Log output of every process."""
