"""Results of jobs: downloads in every format, pages of rows, corrections."""
