"""The error that stops a training."""


class TrainingError(Exception):
    """The data or the configuration is invalid. The message says what is wrong and what to do."""
