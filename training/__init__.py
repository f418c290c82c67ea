"""The offline trainer: configuration and a labelled CSV in, an evaluated SavedModel out."""
