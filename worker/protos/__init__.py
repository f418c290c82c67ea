"""The protobuf messages of TensorFlow Serving's gRPC interface, without TensorFlow.

Everything below this package is generated: the `*_pb2` modules are those of the `tensorflow` and
`tensorflow-serving-api` wheels (Apache License 2.0), with their imports changed to this package.
Importing them from the wheels would run TensorFlow's `__init__`, which takes seconds and hundreds
of MB. `python -m tools.regenerate_protos` writes them again.
"""
