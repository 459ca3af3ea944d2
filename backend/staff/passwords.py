"""Passwords, by argon2id with the library's own costs (RFC 9106, low-memory profile)."""

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from dedicated_line.clock import Entropy


class Passwords:
    """Makes and checks password hashes."""

    def __init__(self, entropy: Entropy, hasher: argon2.PasswordHasher | None = None) -> None:
        """Make a hash of nothing known, too, for log-ins that do not exist."""
        self._entropy = entropy
        self._hasher = hasher or argon2.PasswordHasher()
        self._nobody = self.hash(entropy.token(16).hex())

    def hash(self, password: str) -> str:
        """Return the hash to keep."""
        return self._hasher.hash(password, salt=self._entropy.token(16))

    def match(self, kept: str | None, password: str) -> bool:
        """Tell whether the password is the one; without a hash it takes as long, and is not."""
        try:
            return self._hasher.verify(kept or self._nobody, password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False
