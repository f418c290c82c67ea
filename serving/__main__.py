"""`python -m serving`: the embedded model server, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import os
import signal
import threading

from serving.log_setup import configure_logging
from serving.settings import SettingsError, read_settings
from serving.tensorflow_setup import import_tensorflow, suppress_native_logs

log = logging.getLogger("serving")


def main() -> int:
    """Serves until it is told to stop; the exit status."""
    configure_logging()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = read_settings()
    except SettingsError as error:
        log.error("%s", error)
        return 2
    configure_logging(settings.log_format)
    if not settings.model_folder.is_dir():
        log.error(
            "there is no model folder %s; set SPINELABEL_MODEL_ROOT and SPINELABEL_MODEL_NAME,"
            " or publish a version there",
            settings.model_folder,
        )
        return 1
    suppress_native_logs()
    # Imported here because they read the environment that was just prepared.
    from serving.grpc_server import AddressUnavailable, listen

    try:
        bound = listen(settings)
    except AddressUnavailable as error:
        log.error("%s", error)
        return 1
    import_tensorflow()
    from serving.server import ModelServer

    server = ModelServer(settings, bound)
    server.start()
    log.info(
        "answers on %s, %d predictions at a time; loads the model from %s",
        settings.serving_address,
        settings.executions,
        settings.model_folder,
    )
    stop.wait()
    log.info("stopping: predictions under way have %g s", settings.serving_grace_s)
    server.stop()
    log.info("stopped")
    return 0


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    # Not sys.exit: it would wait for the threads of predictions that outlived the grace.
    os._exit(status)
