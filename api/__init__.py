"""The front door: HTTP in, HTTP out, and the web page. HTTP statuses are named here and nowhere else."""
