"""The one error a person who trains a model has to understand."""


class TrainingError(Exception):
    """Something about the data or the configuration stops the training before an epoch starts.

    Its message is one sentence that names the culprit and says what to do about it.
    """
