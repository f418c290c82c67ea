"""The HTTP server: gunicorn with timeouts for slow clients."""
