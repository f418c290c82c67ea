"""Features: word vectors, TF-IDF, character n-grams."""
