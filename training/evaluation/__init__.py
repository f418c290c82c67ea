"""Metrics, calibration, cross-validation and reports."""
