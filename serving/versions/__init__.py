"""The versions of the served model: loading, warm-up, replacement."""
