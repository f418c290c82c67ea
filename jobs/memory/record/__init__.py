"""In-memory adapters of the ports to the job record, over one state."""
