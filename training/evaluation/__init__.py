"""Cross-validation, calibration, metrics and reports."""
