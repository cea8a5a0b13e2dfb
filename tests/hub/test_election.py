"""Two processes, one Lease: whoever dies, ends, hangs or loses the hub, the other leads soon, and never both."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from reconciler.hub.lease import LEASE_SECONDS
from reconciler.simulation.member import SimulatedMember
from tests.fleets import Member

TOP = Path(__file__).resolve().parents[2]
NAMESPACE = "default"
LEASE = "reconciler"
PATH = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{LEASE}"
PATIENCE = 30.0


class Candidate:
    """A process of `tests.hub.candidate`; what it prints, with the time at which it came (monotonic)."""

    def __init__(self, hub: Member, name: str, seconds: int) -> None:
        command = [sys.executable, "-m", "tests.hub.candidate", str(hub.kubeconfig), NAMESPACE, LEASE, name]
        self._process = subprocess.Popen([*command, str(seconds)], cwd=TOP, text=True, stdout=subprocess.PIPE)
        self.lines: list[tuple[float, str]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def said(self) -> list[str]:
        return [line for _, line in self.lines]

    def wait(self, line: str, seconds: float = PATIENCE) -> float:
        """When it printed that line for the last time; waits for it."""
        end = time.monotonic() + seconds
        while line not in self.said:
            assert time.monotonic() < end, f"no {line!r} within {seconds} s, but {self.said}"
            assert self._process.poll() is None, f"ended with {self._process.returncode}"
            time.sleep(0.01)
        return next(at for at, said in reversed(self.lines) if said == line)

    def send(self, number: signal.Signals) -> float:
        """When it was sent."""
        self._process.send_signal(number)
        return time.monotonic()

    def end(self) -> int:
        """Its exit code after SIGTERM."""
        self.send(signal.SIGTERM)
        code = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append((time.monotonic(), line.strip()))


class Candidates:
    """Two on one hub, the first of which leads."""

    def __init__(self, hub: Member, started: ExitStack, seconds: int) -> None:
        self.hub, self.seconds = hub, seconds
        self.first = Candidate(hub, "first", seconds)
        started.callback(self.first.close)
        self.first.wait("leads")
        self.second = Candidate(hub, "second", seconds)
        started.callback(self.second.close)
        self.second.wait("follows first")

    def lease(self) -> dict[str, Any]:
        found = self.hub.api.get(PATH)
        assert found is not None
        return dict(found["spec"])


@pytest.fixture
def candidates(any_hub: Member) -> Iterator[Candidates]:
    """With the product's own seconds on the real API server, with fewer on the simulated one."""
    any_hub.api.delete(PATH)
    with ExitStack() as started:
        yield Candidates(any_hub, started, 3 if isinstance(any_hub, SimulatedMember) else LEASE_SECONDS)


def test_a_leader_that_is_killed_is_followed_within_15_seconds(candidates: Candidates) -> None:
    lease = candidates.lease()
    assert (lease["holderIdentity"], lease["leaseTransitions"]) == ("first", 0)
    killed = candidates.first.send(signal.SIGKILL)
    took = candidates.second.wait("leads") - killed
    print(f"failover after kill -9: {took:.1f} s")
    assert took < (15 if candidates.seconds == LEASE_SECONDS else 10)
    lease = candidates.lease()
    assert (lease["holderIdentity"], lease["leaseTransitions"]) == ("second", 1)


def test_a_leader_that_ends_hands_over_at_once(candidates: Candidates) -> None:
    asked = time.monotonic()
    assert candidates.first.end() == 0
    took = candidates.second.wait("leads") - asked
    print(f"handed over: {took:.1f} s")
    assert took < 3
    assert candidates.second.end() == 0
    assert candidates.second.said == ["follows first", "leads", "ended"]
    assert candidates.lease()["holderIdentity"] == ""


def test_a_leader_that_was_stopped_knows_at_once_that_it_leads_no_more(candidates: Candidates) -> None:
    stopped = candidates.first.send(signal.SIGSTOP)
    took_over = candidates.second.wait("leads")
    assert took_over - stopped < candidates.seconds + 5
    candidates.first.send(signal.SIGCONT)
    candidates.first.wait("woke")
    candidates.first.wait("lost")
    time.sleep(candidates.seconds / 2)
    assert candidates.first.said == ["leads", "woke", "lost", "follows second"]
    assert candidates.second.said == ["follows first", "leads"]
    assert candidates.lease()["holderIdentity"] == "second"


def test_a_leader_that_loses_the_hub_stops_before_another_may_begin(candidates: Candidates) -> None:
    candidates.hub.pause_apiserver()
    lost = candidates.first.wait("lost", candidates.seconds)
    time.sleep(candidates.seconds)
    assert candidates.second.said == ["follows first"]
    candidates.hub.resume_apiserver()
    leader = _first_that_leads(candidates, lost)
    time.sleep(candidates.seconds)
    assert candidates.lease()["holderIdentity"] == leader


def test_a_lease_that_somebody_deletes_is_made_again(candidates: Candidates) -> None:
    assert candidates.hub.api.delete(PATH)
    end = time.monotonic() + PATIENCE
    while candidates.hub.api.get(PATH) is None and time.monotonic() < end:
        time.sleep(0.05)
    holder = candidates.lease()["holderIdentity"]
    time.sleep(candidates.seconds)
    assert candidates.lease()["holderIdentity"] == holder
    leaders = [
        [said for said in each.said if said in ("leads", "lost")][-1:] for each in (candidates.first, candidates.second)
    ]
    assert leaders.count(["leads"]) == 1


def _first_that_leads(candidates: Candidates, after: float) -> str:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for name, each in (("first", candidates.first), ("second", candidates.second)):
            if any(at > after and said == "leads" for at, said in each.lines):
                return name
        time.sleep(0.02)
    raise AssertionError("nobody leads")
