"""Sending webhooks: payload, HTTP client, retry policy."""
