"""What all routes share: bodies, parameters, problems, the description."""
