"""From rows to labels: cache, micro-batches, predictions, thresholds."""
