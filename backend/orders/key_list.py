"""The published key list as the centre reads it: a file that may be replaced at any time."""

from pathlib import Path
from threading import Lock

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from backend.orders.errors import KeyListMissingError
from dedicated_line.clock import Clock
from dedicated_line.contract.key_list import KeyList, UntrustedKeyError, read_key_list
from dedicated_line.contract.keys import BadSignatureError


class KeyListFile:
    """Reads the list anew each time, verifies it under the pinned root, and never goes back."""

    def __init__(self, path: Path, root: Path, clock: Clock) -> None:
        """Take where list and root lie; neither need be there yet."""
        self._path = path
        self._root = root
        self._clock = clock
        self._highest = 0
        self._lock = Lock()

    def published(self) -> bytes:
        """Return the bytes that kiosks fetch; KeyListMissingError when there are none."""
        try:
            return self._path.read_bytes()
        except OSError as error:
            raise KeyListMissingError(
                f"there is no key list at {self._path}; publish one with 'kofu-backend keys init'"
            ) from error

    def trusted(self) -> KeyList:
        """Return the list that is trusted now; KeyListMissingError when it does not hold."""
        body = self.published()
        try:
            keys = read_key_list(body, self._root_key(), self._clock.now())
        except (BadSignatureError, UntrustedKeyError) as error:
            raise KeyListMissingError(
                f"the key list does not hold ({error}); publish one with 'kofu-backend keys init'"
            ) from error
        with self._lock:
            if keys.version < self._highest:
                raise KeyListMissingError(
                    "the key list is older than one seen before; publish the newest one"
                )
            self._highest = keys.version
        return keys

    def _root_key(self) -> ec.EllipticCurvePublicKey:
        try:
            key = load_pem_public_key(self._root.read_bytes())
        except (OSError, ValueError) as error:
            raise KeyListMissingError(
                f"the pinned root {self._root} cannot be read; "
                "make it with 'kofu-backend keys init'"
            ) from error
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise KeyListMissingError(f"the pinned root {self._root} is no P-256 key; replace it")
        return key
