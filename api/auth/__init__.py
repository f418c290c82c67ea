"""Authentication, rate limits, sessions and the audit log."""
