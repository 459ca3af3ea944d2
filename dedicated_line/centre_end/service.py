"""What a kiosk can ask of the line: heartbeat and events end here, the rest goes to the centre."""

from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from dedicated_line.centre_end.events import HeldEvents, is_event_id
from dedicated_line.centre_end.model import (
    Answer,
    Limits,
    Refusal,
    Request,
    forwarded,
    problem_answer,
)
from dedicated_line.centre_end.published import Publisher
from dedicated_line.centre_end.register import LiveRegister
from dedicated_line.centre_end.upstream import Upstream, UpstreamDownError, UpstreamSlowError
from dedicated_line.contract.line import Heartbeat, SecurityEventKind
from dedicated_line.contract.problems import ProblemCode
from dedicated_line.enrolment.model import Caller, Standing

HEARTBEAT_PATH: Final = "/v1/heartbeat"
EVENTS_PATH: Final = "/v1/events"
_EVENTS_OF: Final = {
    Standing.STRANGER: SecurityEventKind.UNKNOWN_CERTIFICATE,
    Standing.OUT_OF_SERVICE: SecurityEventKind.REVOKED,
    Standing.WRONG_CIRCUIT: SecurityEventKind.WRONG_CIRCUIT,
}
_NOT_A_KIOSK: Final = "this certificate may not use this circuit; have the kiosk enrolled here"


class LineDesk:
    """Answers the requests of all connections."""

    def __init__(
        self,
        register: LiveRegister,
        upstream: Upstream,
        publisher: Publisher,
        events: HeldEvents,
        limits: Limits,
    ) -> None:
        self._register = register
        self._upstream = upstream
        self._publisher = publisher
        self._events = events
        self._limits = limits

    def refusal(self, caller: Caller) -> Refusal | None:
        """Return why a caller is not admitted, by the register as it is now."""
        standing = self._register.standing(caller)
        if standing is Standing.ADMITTED:
            return None
        return Refusal(
            _EVENTS_OF[standing], HTTPStatus.FORBIDDEN, ProblemCode.NOT_A_KIOSK, _NOT_A_KIOSK
        )

    def opened(self, caller: Caller) -> bool:
        """Note a connection; tell whether its kiosk is admitted at all."""
        if self.refusal(caller) is not None:
            return False
        self._publisher.connected(caller)
        return True

    def ended(self, caller: Caller) -> None:
        """Note that a connection that was admitted has ended."""
        self._publisher.disconnected(caller)

    def report(self, refusal: Refusal, source: str, kiosk: str | None) -> None:
        """Publish a refusal."""
        self._publisher.refused(refusal.event, source, kiosk, refusal.detail)

    def is_held(self, request: Request) -> bool:
        """Tell whether a request only waits, so that it may end with its connection."""
        return request.path == EVENTS_PATH

    async def answer(self, caller: Caller, request: Request) -> Answer:
        """Answer a request of a kiosk that is admitted."""
        if request.forged:
            self._publisher.refused(
                SecurityEventKind.FORGED_HEADER,
                caller.source,
                caller.kiosk,
                "an identity header came from the kiosk's end and was stripped",
            )
        if request.path == HEARTBEAT_PATH:
            return self._heartbeat(caller, request)
        if request.path == EVENTS_PATH:
            return await self._held(request)
        return await self._pass_on(caller, request)

    def _heartbeat(self, caller: Caller, request: Request) -> Answer:
        if request.method != "POST":
            return _wrong_method()
        try:
            heartbeat = Heartbeat.model_validate_json(request.body)
        except ValueError:
            return problem_answer(
                ProblemCode.MALFORMED, HTTPStatus.BAD_REQUEST, "this is no heartbeat"
            )
        self._publisher.heard(caller, heartbeat)
        return Answer(HTTPStatus.NO_CONTENT)

    async def _held(self, request: Request) -> Answer:
        if request.method != "GET":
            return _wrong_method()
        query = dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))
        after = query.get("after")
        if set(query) - {"after"} or (after is not None and not is_event_id(after)):
            return problem_answer(
                ProblemCode.MALFORMED,
                HTTPStatus.BAD_REQUEST,
                "ask for events after the 'last' of the answer before",
            )
        events = await self._events.hold(after, self._limits.hold)
        return Answer(HTTPStatus.OK, (("content-type", "application/json"),), events.to_json())

    async def _pass_on(self, caller: Caller, request: Request) -> Answer:
        sent = forwarded(request, caller.kiosk, caller.source)
        try:
            return await self._upstream.exchange(sent, repeatable=request.repeatable)
        except UpstreamDownError as error:
            status = HTTPStatus.BAD_GATEWAY if error.sent else HTTPStatus.SERVICE_UNAVAILABLE
            return _unavailable(status)
        except UpstreamSlowError:
            return _unavailable(HTTPStatus.GATEWAY_TIMEOUT)


def _wrong_method() -> Answer:
    return problem_answer(
        ProblemCode.MALFORMED, HTTPStatus.METHOD_NOT_ALLOWED, "this path takes another method"
    )


def _unavailable(status: HTTPStatus) -> Answer:
    return problem_answer(
        ProblemCode.UNAVAILABLE,
        status,
        "the centre does not answer now; repeat the same request in a moment",
        retryable=True,
    )


def internal(incident: str) -> Answer:
    """Return the answer to a request that met an unexpected error."""
    return problem_answer(
        ProblemCode.INTERNAL,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "something unexpected happened; the operators find it by its incident",
        incident=incident,
    )
