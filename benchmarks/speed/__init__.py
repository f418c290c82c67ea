"""Speed beside what people would use instead, in one run: the same rows, the same SavedModel, the same cores."""
