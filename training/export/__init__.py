"""From trained parts to a published SavedModel."""
