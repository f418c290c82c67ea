"""Results as CSV, JSON Lines, Parquet and Excel."""
