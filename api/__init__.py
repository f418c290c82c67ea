"""The HTTP API and the web page. No other package depends on HTTP statuses."""
