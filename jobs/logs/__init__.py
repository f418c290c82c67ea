"""Structured logs: set-up, masking of secrets, and rate limiting of repeated errors."""
