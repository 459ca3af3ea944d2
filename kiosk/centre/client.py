"""The centre's API over the line: one method a request, repeated only under the same key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Final, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from dedicated_line.clock import Clock, Entropy
from dedicated_line.contract.key_list import KeyList, UntrustedKeyError, read_key_list
from dedicated_line.contract.keys import (
    BadSignatureError,
    Purpose,
    encode_public_key,
    sign_body,
)
from dedicated_line.contract.message import Message, encode_base64url
from dedicated_line.contract.orders import (
    IDEMPOTENCY_HEADER,
    SIGNATURE_HEADER,
    OrderSealed,
    OrderStatus,
    PlaceOrder,
    Release,
    Released,
)
from dedicated_line.contract.problems import Problem, ProblemCode
from dedicated_line.contract.sessions import (
    HolderAccepted,
    OpenSession,
    PresentHolder,
    SessionOpened,
)
from dedicated_line.errors import KofuError
from dedicated_line.kiosk_end.client import LineAnswer, LineLoss, LineLostError
from kiosk.centre.errors import (
    CentreError,
    CentreIntegrityError,
    CentreRefusedError,
    CentreUnavailableError,
    NotUnderstoodError,
    SessionLostError,
)

REQUEST_SECONDS: Final = 20.0
"""From the first try of a request to the last, repeats included."""
TRY_SECONDS: Final = 10.0
"""For one try."""
PAUSE_SECONDS: Final = 0.4
"""Between two tries."""
KEY_BYTES: Final = 18
"""Random bytes of an idempotency key; 24 characters."""
_JSON: Final = {"Content-Type": "application/json"}
_GOOD: Final = range(200, 300)
_NOT_MODIFIED: Final = 304
M = TypeVar("M", bound=Message)


class Line(Protocol):
    """The kiosk's end of the line, as `dedicated_line.kiosk_end.client.LineClient` fills it."""

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 10.0,
    ) -> LineAnswer:
        """Return the whole answer, or raise LineLostError."""
        ...


class KeyVersions(Protocol):
    """Remembers the highest version of the key list, over restarts."""

    def key_list_version(self) -> int:
        """Return it; 0 when none was accepted yet."""
        ...

    def key_list_accepted(self, version: int) -> None:
        """Remember one that was accepted."""
        ...


class KeyListError(KofuError):
    """No key list that holds under the pinned root: nothing can be checked, so nothing is sold."""


@dataclass(frozen=True)
class SessionKeys:
    """The two keys of one session; they die with it."""

    signing: ec.EllipticCurvePrivateKey = field(repr=False)
    receiving: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def make(cls) -> "SessionKeys":
        """Make a new pair of P-256 keys."""
        return cls(ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1()))

    @property
    def signing_point(self) -> bytes:
        """Return the public signing key, 65 bytes."""
        return encode_public_key(self.signing.public_key())

    @property
    def receiving_point(self) -> bytes:
        """Return the public receiving key, 65 bytes."""
        return encode_public_key(self.receiving.public_key())


class CentreClient:
    """The centre, for one kiosk."""

    def __init__(
        self,
        line: Line,
        *,
        device_key: ec.EllipticCurvePrivateKey,
        root: ec.EllipticCurvePublicKey,
        versions: KeyVersions,
        clock: Clock,
        entropy: Entropy,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        """Take the line and the keys.

        Args:
            line: the kiosk's end.
            device_key: signs outcomes; made at enrolment.
            root: the pinned root of the key list.
            versions: remembers the highest key list.
            clock: deadlines, and whether a key list is valid now.
            entropy: idempotency keys.
            pause: waits between two tries; the default waits for that long.
        """
        self._line = line
        self._device_key = device_key
        self._root = root
        self._versions = versions
        self._clock = clock
        self._entropy = entropy
        self._pause = pause or Event().wait
        self._etag: str | None = None
        self._keys_body: bytes | None = None

    # ---------------------------------------------------------------- requests
    def open_session(self, request: OpenSession) -> SessionOpened:
        """Open a session; the challenge is good for 120 s."""
        return self._ask(SessionOpened, "POST", "/v1/sessions", request.to_json())

    def present_holder(self, session: str, request: PresentHolder) -> HolderAccepted:
        """Present the card's word."""
        path = f"/v1/sessions/{session}/holder"
        return self._ask(HolderAccepted, "PUT", path, request.to_json())

    def place_order(self, request: PlaceOrder, keys: SessionKeys) -> OrderSealed:
        """Have the certificate composed and sealed."""
        body = request.to_json()
        headers = self._signed(keys.signing, Purpose.ORDER, body, self.new_key())
        path = f"/v1/sessions/{request.session}/orders"
        return self._ask(OrderSealed, "POST", path, body, headers)

    def release(self, request: Release, keys: SessionKeys) -> Released:
        """Have the content released."""
        body = request.to_json()
        headers = self._signed(keys.signing, Purpose.RELEASE, body, self.new_key())
        return self._ask(Released, "POST", f"/v1/orders/{request.order}/release", body, headers)

    def send_outcome(
        self, order: str, body: bytes, key: str, seconds: float = REQUEST_SECONDS
    ) -> OrderStatus:
        """Tell how an order ended: `body` is the JSON of an `Outcome`, `key` the same each time."""
        headers = self._signed(self._device_key, Purpose.OUTCOME, body, key)
        path = f"/v1/orders/{order}/outcome"
        return self._ask(OrderStatus, "POST", path, body, headers, seconds)

    def order_status(self, order: str) -> OrderStatus:
        """Ask for the states of an order."""
        return self._ask(OrderStatus, "GET", f"/v1/orders/{order}", None)

    def key_list(self) -> KeyList:
        """Fetch the key list, verified under the pinned root and never older than before.

        Raises:
            KeyListError: what came does not hold.
            LineLostError, CentreError: it did not come.
        """
        headers = {} if self._etag is None else {"If-None-Match": self._etag}
        answer = self._answer("GET", "/v1/keys", None, headers, REQUEST_SECONDS)
        body = self._keys_body if answer.status == _NOT_MODIFIED else answer.body
        if body is None:
            raise NotUnderstoodError("GET /v1/keys")
        now: datetime = self._clock.now()
        try:
            keys = read_key_list(body, self._root, now)
        except (BadSignatureError, UntrustedKeyError) as error:
            raise KeyListError(
                f"the key list does not hold: {error}; have the operators publish a new one"
            ) from error
        if keys.version < self._versions.key_list_version():
            raise KeyListError("the key list is older than one seen before; call the operators")
        self._versions.key_list_accepted(keys.version)
        self._etag = answer.headers.get("etag", self._etag)
        self._keys_body = body
        return keys

    def new_key(self) -> str:
        """Return a new idempotency key."""
        return encode_base64url(self._entropy.token(KEY_BYTES))

    # ---------------------------------------------------------------- how
    def _signed(
        self, key: ec.EllipticCurvePrivateKey, purpose: Purpose, body: bytes, idempotency: str
    ) -> dict[str, str]:
        return {
            SIGNATURE_HEADER: encode_base64url(sign_body(key, purpose, body)),
            IDEMPOTENCY_HEADER: idempotency,
        }

    def _ask(
        self,
        model: type[M],
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str] | None = None,
        seconds: float = REQUEST_SECONDS,
    ) -> M:
        answer = self._answer(method, path, body, headers or {}, seconds)
        try:
            return model.model_validate_json(answer.body)
        except ValidationError as error:
            raise NotUnderstoodError(f"{method} {_shape(path)}") from error

    def _answer(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        seconds: float,
    ) -> LineAnswer:
        """Try until an answer has come or the time is over.

        Opening a session has no key and no lasting effect, so it may be repeated as well.
        """
        end = self._clock.monotonic() + seconds
        fields = {**headers, **(_JSON if body is not None else {})}
        while True:
            left = end - self._clock.monotonic()
            try:
                answer = self._line.request(
                    method, path, body, fields, max(min(left, TRY_SECONDS), 0.1)
                )
                if answer.status in _GOOD or answer.status == _NOT_MODIFIED:
                    return answer
                raise _error(answer, f"{method} {_shape(path)}")
            except LineLostError as lost:
                again = lost.loss is not LineLoss.UNTRUSTED
                error: KofuError = lost
            except CentreUnavailableError as unavailable:
                again = True
                error = unavailable
            if not again or end - self._clock.monotonic() <= PAUSE_SECONDS:
                raise error
            self._pause(PAUSE_SECONDS)


def _shape(path: str) -> str:
    """Return the path without ids."""
    return "/".join(part if len(part) < 32 else "…" for part in path.split("/"))  # noqa: PLR2004 - an id has 32 digits


def _error(answer: LineAnswer, request: str) -> KofuError:
    try:
        problem = Problem.model_validate_json(answer.body)
    except ValidationError:
        return NotUnderstoodError(request)
    if problem.refusal is not None:
        return CentreRefusedError(problem)
    kinds: dict[ProblemCode, type[CentreError]] = {
        ProblemCode.UNKNOWN_SESSION: SessionLostError,
        ProblemCode.CHALLENGE_USED: SessionLostError,
        ProblemCode.INTEGRITY: CentreIntegrityError,
    }
    if problem.retryable and problem.code not in kinds:
        return CentreUnavailableError(problem)
    return kinds.get(problem.code, CentreError)(problem)
