"""A job as its caller sees it: documents, lists, progress, webhooks."""
