"""The simulation's own eyes and hands on a member: requests by path, answered without HTTP and without its faults.

For the demo, and for tests that have no client of their own; with the interface that the tests' client of real members
has. A member that is stopped or paused can't be reached by it either.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from reconciler.simulation.api.requests import Answer, Request
from reconciler.simulation.cluster import Object

_SERVER_SIDE_APPLY = "application/apply-patch+yaml"
_MERGE_PATCH = "application/merge-patch+json"


class ApiError(Exception):
    """The API server refused; `status` is the HTTP status, the text its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class WaitTimeout(Exception):
    """Something that was waited for did not come; the text says what."""


class Api:
    """Requests as the user that owns `token`. `send` is the member's."""

    def __init__(self, token: str, send: Callable[[Request], Answer]) -> None:
        self._token = token
        self._send = send

    def get(self, path: str) -> Object | None:
        """The object, or None when the server says that there is none."""
        try:
            return self.request("GET", path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(self, path: str, label_selector: str | None = None) -> list[Object]:
        found: list[Object] = self.request("GET", path, params={"labelSelector": label_selector})["items"]
        return found

    def create(self, path: str, obj: Mapping[str, Any]) -> Object:
        """POST to a collection; an unknown field is an error."""
        return self.request("POST", path, obj, params={"fieldValidation": "Strict"})

    def apply(self, obj: Mapping[str, Any], path: str | None = None) -> Object:
        """Server-side apply, conflicts overridden; without `path` the object tells where it belongs."""
        params = {"fieldManager": "simulated-fleet", "force": "true"}
        return self.request("PATCH", path or self.path_of(obj), obj, params=params, content_type=_SERVER_SIDE_APPLY)

    def patch_merge(self, path: str, patch: Mapping[str, Any]) -> Object:
        return self.request("PATCH", path, patch, content_type=_MERGE_PATCH)

    def delete(self, path: str) -> bool:
        """Ask for deletion of an object; False when it is not there. Finalizers may keep it: see `wait_gone`."""
        try:
            self.request("DELETE", path, {"propagationPolicy": "Background"})
        except ApiError as error:
            if error.status != 404:
                raise
            return False
        return True

    def wait_gone(self, path: str, timeout: float = 30.0) -> None:
        wait_for(lambda: self.get(path) is None, timeout, f"{path} to be gone")

    def path_of(self, obj: Mapping[str, Any]) -> str:
        """The path of an object, its resource name being asked of the server."""
        version, kind, metadata = obj["apiVersion"], obj["kind"], obj["metadata"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        entries = self.request("GET", root)["resources"]
        entry = next(each for each in entries if each["kind"] == kind and "/" not in each["name"])
        scope = f"/namespaces/{metadata.get('namespace', 'default')}" if entry["namespaced"] else ""
        return f"{root}{scope}/{entry['name']}/{metadata['name']}"

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str | None] | None = None,
        content_type: str = "application/json",
        timeout: float = 20.0,
    ) -> Object:
        plain, _, query = path.partition("?")
        given = {key: value for key, value in (params or {}).items() if value is not None}
        headers = {"authorization": f"Bearer {self._token}", "content-type": content_type}
        sent = b"" if body is None else json.dumps(body).encode()
        answer = self._send(Request(method, plain, {**dict(parse_qsl(query)), **given}, headers, sent))
        found: Any = json.loads(answer.body) if answer.content_type.startswith("application/json") else {}
        if answer.status >= 400:
            message = found.get("message") or answer.body.decode(errors="replace")[:500]
            raise ApiError(answer.status, f"{method} {path}: {message}")
        return found  # type: ignore[no-any-return] # a JSON object


def wait_for(predicate: Callable[[], object], timeout: float, what: str, every: float = 0.01) -> None:
    """Ask again and again until the answer is true; a late answer is a WaitTimeout that names `what`."""
    end = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() >= end:
            raise WaitTimeout(f"waited {timeout:g} s for {what}, in vain")
        time.sleep(every)
