"""HTTP basics that all routes share: bodies, parameters, problems, limits, OpenAPI."""
