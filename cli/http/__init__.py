"""The API as the client sees it: calls, documents, retries, choice of the server."""
