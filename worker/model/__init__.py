"""Client of the model server (gRPC) and what is known of the models it serves."""
