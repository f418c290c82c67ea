"""The sequence model: architectures, batches, callbacks, training stages."""
