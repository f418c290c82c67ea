"""Errors of the harness."""


class FaultNotApplicable(Exception):
    """The fault cannot be injected at present; another one is chosen."""
