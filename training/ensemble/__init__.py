"""Linear models, stacking and pseudo-labels."""
