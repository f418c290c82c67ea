"""Errors of the harness itself."""


class NotPossible(Exception):
    """The fault cannot be injected just now; another one is tried."""
