"""Reading and splitting labelled data."""
