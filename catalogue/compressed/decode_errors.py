"""Translates errors of decoders into errors about the file, and lets errors of the storage pass."""

import errno
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from catalogue.errors import CatalogueError

log = logging.getLogger(__name__)


@contextmanager
def translate_decode_errors(make_error: Callable[[], CatalogueError]) -> Iterator[None]:
    """Raise `make_error()` for any decoding error in the block, of whatever type.

    `CatalogueError` and errors of the storage pass through.
    """
    try:
        yield
    except CatalogueError:
        raise
    except OSError as error:
        # bzip2 errors have no errno; a corrupt directory makes `zipfile` seek out of range
        # (EINVAL).
        if error.errno not in (None, errno.EINVAL):
            raise
        raise make_error() from error
    except Exception as error:
        # The type only, since the message may quote the file. It reveals bugs of our own.
        log.info("decoding_failed", extra={"error": type(error).__name__})
        raise make_error() from error
