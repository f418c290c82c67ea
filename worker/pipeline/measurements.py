"""What is measured while rows are labelled, for metrics."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobs.metrics import ModelCall


@dataclass
class Measurements:
    """Filled by the pipeline. Not thread-safe."""

    # Durations of calls of the model server in seconds, including failed ones.
    model_calls_s: dict[ModelCall, list[float]] = field(default_factory=dict)
    cache_hits: int = 0  # different texts that were in the prediction cache
    cache_misses: int = 0

    def add_calls(self, call: ModelCall, durations_s: list[float]) -> None:
        """Add the durations of calls of one kind."""
        self.model_calls_s.setdefault(call, []).extend(durations_s)
