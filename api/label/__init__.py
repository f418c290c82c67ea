"""A few summaries, answered at once."""
