"""Linear models, stacking, pseudo-labels and baselines."""
