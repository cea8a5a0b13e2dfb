"""Faults of one member's API server, as tests steer them from their own thread.

They hit what comes over HTTP from anyone but `rig`, the tests' own eyes, so that a test can look at a member whose
clients see it broken. (A member that is stopped or paused altogether is so for all: see `member`.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from reconciler.simulation.api.requests import Target

RIG = "rig"


class Kind(Enum):
    """What goes wrong with a request."""

    DEAD = auto()
    HANG = auto()
    SLOW = auto()
    HALF = auto()
    GARBAGE = auto()
    STATUS = auto()
    REDIRECT = auto()
    LOST = auto()


@dataclass(slots=True, eq=False)
class Fault:
    """One fault: which requests it hits, how many more of them (None: until it is cleared), how many it has hit."""

    kind: Kind
    verb: str = ""
    resource: str = ""
    times: int | None = None
    seconds: float = 0.0
    code: int = 200
    reason: str = ""
    body: bytes | None = None
    location: str = ""
    hits: int = 0

    def matches(self, target: Target) -> bool:
        return (
            self.times != 0 and self.verb in ("", target.verb) and self.resource in ("", target.plural, target.resource)
        )


_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class Faults:
    """The faults of one member; the first that matches a request hits it.

    Each method takes `verb` (get, list, watch, create, update, patch, delete, deletecollection) and `resource` (a
    plural) to hit those alone, and `times` to hit so many requests and then no more.
    """

    def __init__(self) -> None:
        self._faults: tuple[Fault, ...] = ()

    def clear(self) -> None:
        """All is well again; requests that hang are cut off."""
        self._faults = ()

    def dead(self, *, verb: str = "", resource: str = "", times: int | None = None) -> Fault:
        """The connection is cut as soon as the request is seen, before its body is read or anything is done."""
        return self._add(Fault(Kind.DEAD, verb, resource, times))

    def hang(self, *, verb: str = "", resource: str = "", times: int | None = None) -> Fault:
        """Nothing is done and never answered."""
        return self._add(Fault(Kind.HANG, verb, resource, times))

    def slow(self, seconds: float, *, verb: str = "", resource: str = "", times: int | None = None) -> Fault:
        """Answered so many real seconds late."""
        return self._add(Fault(Kind.SLOW, verb, resource, times, seconds))

    def half(self, *, verb: str = "", resource: str = "", times: int | None = None) -> Fault:
        """It takes effect, but only the first half of the answer arrives."""
        return self._add(Fault(Kind.HALF, verb, resource, times))

    def garbage(
        self, body: bytes = b"<html>hello</html>", *, verb: str = "", resource: str = "", times: int | None = None
    ) -> Fault:
        """Nothing is done, and the answer is 200 with that body; give it JSON to have it well-formed and wrong."""
        return self._add(Fault(Kind.GARBAGE, verb, resource, times, body=body))

    def status(
        self,
        code: int,
        *,
        body: bytes | None = None,
        verb: str = "",
        resource: str = "",
        times: int | None = None,
    ) -> Fault:
        """Nothing is done, and the answer is that error: with a Kubernetes Status, or with `body` instead of it."""
        fault = Fault(Kind.STATUS, verb, resource, times, code=code, reason=_REASONS.get(code, ""), body=body)
        return self._add(fault)

    def redirect(self, location: str, *, verb: str = "", resource: str = "", times: int | None = None) -> Fault:
        """Sends the client elsewhere (307)."""
        return self._add(Fault(Kind.REDIRECT, verb, resource, times, code=307, location=location))

    def lost_after(self, verb: str, resource: str = "", *, times: int | None = 1) -> Fault:
        """It takes effect, and the connection is cut without an answer."""
        return self._add(Fault(Kind.LOST, verb, resource, times))

    def remove(self, fault: Fault) -> None:
        """Ends one fault."""
        self._faults = tuple(each for each in self._faults if each is not fault)

    def hit(self, user: str, target: Target) -> Fault | None:
        """The fault that this request meets, counted; for the server."""
        if user == RIG:
            return None
        for fault in self._faults:
            if fault.matches(target):
                fault.hits += 1
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def stands(self, fault: Fault) -> bool:
        """Whether it has not been cleared yet."""
        return fault in self._faults

    def _add(self, fault: Fault) -> Fault:
        self._faults = (*self._faults, fault)
        return fault
