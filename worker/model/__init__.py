"""gRPC client of the model server, and the registry of the models that it serves."""
