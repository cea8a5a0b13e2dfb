"""The way to a member, and what goes wrong on it.

Requests come from the product's own `Members` by way of `DirectClient`, without sockets: what the product makes of an
answer, of an error and of silence is its own code.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final

from reconciler.desired import Member as Declared
from reconciler.errors import Unclear, Unreachable
from reconciler.members import Members
from reconciler.members.client import READ_SECONDS, WRITE_SECONDS, Client
from reconciler.members.connection import Connection
from reconciler.members.velero import Velero
from reconciler.plan.actions import Action, Outcome
from reconciler.plan.answers import Answer, Question
from reconciler.settings import MemberSettings
from reconciler.simulation.api.requests import Request, target_of
from tests.soak.clock import Clock
from tests.soak.cluster import TOKEN, Cluster
from tests.soak.gates import gate
from tests.soak.process import Process

SLOW_SECONDS: Final = 8.0
"""Longer than a pass waits for a member, shorter than a request may take."""
ELSEWHERE: Final = b'{"kind": "Status", "apiVersion": "v1", "code": 404, "reason": "NotFound", "message": "no host"}'
"""What some proxy says, which is no word about any object."""


class DirectClient(Client):
    """Requests of one process to one member. Who sleeps longer than a request may take gets no answer."""

    def __init__(self, name: str, cluster: Cluster, process: Process) -> None:
        configuration = SimpleNamespace(api_key={"BearerToken": f"Bearer {TOKEN}"})
        connectionless: Any = SimpleNamespace(configuration=configuration)  # only errors ask for it
        super().__init__(name, connectionless)
        self._cluster, self._process = cluster, process

    async def close(self) -> None:
        """Nothing is open."""

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        cluster, query = self._cluster, dict(query or {})
        what = f"{'DRY' if query.get('dryRun') else method} {target_of(method, path, query).plural}"
        started = self._process.monotonic()
        gate(f"before {what}")
        self._check(method, started)
        cluster.requests += 1
        self._break(path)
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": content_type, "accept": "application/json"}
        sent = b"" if body is None else json.dumps(body).encode()
        if cluster.fault == "forbidden":
            headers["authorization"] = "Bearer of a token that ran out"
        answer = cluster.serve(Request(method, path, query, headers, sent, path))
        self._tell(what, body, answer.status)
        gate(f"after {what}")
        if cluster.fault == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        self._check(method, started)
        if method != "GET" and cluster.lost:
            cluster.lost -= 1
            raise Unclear("Unreachable", f"cluster {cluster.name} gave no answer: timed out")
        return self._answer(path, answer.status, answer.body)

    def _tell(self, what: str, body: Any, status: int) -> None:
        """Takes down what allows a start: a dry run that was accepted, a storage that is there."""
        if what.startswith("DRY "):
            self._process.told[self._name, body["metadata"]["name"]] = status < 300
        elif what == "GET backupstoragelocations":
            self._process.told[self._name, "storage"] = status < 300 and self._cluster.available

    def _break(self, path: str) -> None:
        match self._cluster.fault:
            case "unreachable":
                raise Unreachable("Unreachable", f"cluster {self._cluster.name} can't be reached: connection refused")
            case "silent":
                raise Unclear("Unreachable", f"cluster {self._cluster.name} gave no answer: timed out")
            case "broken":
                self._answer("/api/v1", 500, b"<html>")
            case "elsewhere":
                self._answer(path, 404, ELSEWHERE)

    def _check(self, method: str, started: float) -> None:
        if self._process.monotonic() - started > (READ_SECONDS if method == "GET" else WRITE_SECONDS):
            raise Unclear("Unreachable", f"cluster {self._cluster.name} gave no answer: timed out")


class DirectConnection(Connection):
    """To one member; opened anew where the credentials were not taken, or lead elsewhere now."""

    def __init__(self, name: str, process: Process) -> None:
        super().__init__(name)
        self._process = process
        self._cluster: Cluster | None = None

    def to(self, cluster: Cluster) -> Client:
        if self._client is None or self._cluster is not cluster:
            self._client, self._cluster = DirectClient(self._name, cluster, self._process), cluster
        return self._client


class DirectMembers(Members):
    """The product's `Members`, each of whose connections goes where `leads` says; an action is a gate before it."""

    def __init__(self, leads: Callable[[str], Cluster], clock: Clock, process: Process) -> None:
        super().__init__(MemberSettings())
        self._leads, self._clock, self._process = leads, clock, process

    async def _visit(self, question: Question) -> Answer:
        name, process = question.member.id.name, self._process
        process.visited[name] = self._clock.next()
        process.told = {about: told for about, told in process.told.items() if about[0] != name}
        return await super()._visit(question)

    async def _velero(self, member: Declared) -> Velero:
        connection = self._connections.setdefault(member.id, DirectConnection(member.id.name, self._process))
        assert isinstance(connection, DirectConnection)
        return Velero(connection.to(self._leads(member.id.name)), self._settings.velero_namespace)

    async def _carry_out(self, action: Action, fetched_at: float) -> Outcome:
        gate(f"act {type(action).__name__}")
        return await super()._carry_out(action, fetched_at)
