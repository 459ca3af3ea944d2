"""python-escpos, imported so that it is quick and leaves nothing behind.

On import the library reads its table of printers with a YAML parser, which takes a second, and
writes it into a new temporary folder, which it never removes. The table is JSON: it is read as such
here and handed over in the form that the library looks for, in a folder that is gone afterwards.
"""

import json
import os
import pickle
import platform
import tempfile
from importlib.resources import files
from pathlib import Path

from dedicated_line.errors import KofuError

_PLACE = "ESCPOS_CAPABILITIES_PICKLE_DIR"


def _import_library() -> None:
    usual, told = tempfile.tempdir, os.environ.get(_PLACE)
    with tempfile.TemporaryDirectory(prefix="kofu-escpos-") as folder:
        table = json.loads(files("escpos").joinpath("capabilities.json").read_text("utf-8"))
        kept = f"{folder}/{platform.python_version()}.capabilities.pickle"
        Path(kept).write_bytes(pickle.dumps(table))
        tempfile.tempdir = folder
        os.environ[_PLACE] = folder
        try:
            import escpos.printer  # noqa: F401, PLC0415 - imported for what it does
        finally:
            tempfile.tempdir = usual
            if told is None:
                del os.environ[_PLACE]
            else:
                os.environ[_PLACE] = told


try:
    _import_library()
except OSError as error:
    raise KofuError(
        f"no temporary file can be written ({error.strerror}); "
        "free the disk, or set TMPDIR to a folder that can be written"
    ) from error

from escpos.exceptions import DeviceNotFoundError  # noqa: E402 - after the import above
from escpos.printer import Network  # noqa: E402 - after the import above

__all__ = ["DeviceNotFoundError", "Network"]
