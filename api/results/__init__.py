"""What became of a job's rows: files in every format, pages, corrections."""
