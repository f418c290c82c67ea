"""Job routes: submission, lists, polling, events, webhooks."""
