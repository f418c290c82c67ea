"""Heartbeats, watchdog and status reports."""
