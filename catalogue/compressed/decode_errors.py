"""Whose fault an error is, when a packed file is read: the file's, or that of the storage it is read from."""

import errno
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from catalogue.errors import CatalogueError

log = logging.getLogger(__name__)


@contextmanager
def translate_decode_errors(damaged: Callable[[], CatalogueError]) -> Iterator[None]:
    """Raise `damaged()` for whatever breaks in the block; a broken file can break its reading in any way.

    Errors that say already what is wrong pass through, and so do the storage's own.
    """
    try:
        yield
    except CatalogueError:
        raise
    except OSError as error:
        # bzip2's own has no number, and a broken directory makes `zipfile` seek to where nothing can be.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise damaged() from error
    except Exception as error:
        # Its kind only: what it says may be of the file's text. A fault of ours would be found by it.
        log.info("a packed file cannot be read: %s", type(error).__name__)
        raise damaged() from error
