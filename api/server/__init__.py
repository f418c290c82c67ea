"""The process that serves HTTP: gunicorn, and what bounds how long a client may take."""
