"""A small client of a member's API server, for the rig and its tests.

It shares nothing with the product's own client, so that a test does not check the product with the product. Called
by `member.py`, `reset.py` and the tests, as `member.api`.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from tests.real.processes import wait_for

Object = dict[str, Any]
SERVER_SIDE_APPLY = "application/apply-patch+yaml"
TOO_MANY_REQUESTS = 429
MERGE_PATCH = "application/merge-patch+json"


class ApiError(Exception):
    """The API server refused; `status` is the HTTP status, the text its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """Requests by path, e.g. `get("/api/v1/namespaces/velero")`; every answer is plain JSON data."""

    def __init__(self, server: str, token: str, ca: Path) -> None:
        self.server = server
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy and no other CA bundle from the environment
        self._session.verify = str(ca)
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._resources: dict[str, dict[str, Object]] = {}

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
        """POST to a collection, e.g. `/api/v1/namespaces`; an unknown field is an error."""
        return self.request("POST", path, obj, params={"fieldValidation": "Strict"})

    def apply(self, obj: Mapping[str, Any], path: str | None = None) -> Object:
        """Server-side apply, conflicts overridden; without `path` the object tells where it belongs."""
        params = {"fieldManager": "real-fleet", "force": "true"}
        return self.request("PATCH", path or self.path_of(obj), obj, params=params, content_type=SERVER_SIDE_APPLY)

    def patch_merge(self, path: str, patch: Mapping[str, Any]) -> Object:
        return self.request("PATCH", path, patch, content_type=MERGE_PATCH)

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

    def ready(self) -> bool:
        """True when the server is up and says so itself."""
        try:
            return self._session.get(f"{self.server}/readyz", timeout=2).status_code == 200
        except (requests.RequestException, OSError):
            return False

    def path_of(self, obj: Mapping[str, Any]) -> str:
        """The path of an object, its resource name being asked of the server."""
        group_version, kind, metadata = obj["apiVersion"], obj["kind"], obj["metadata"]
        root = f"/apis/{group_version}" if "/" in group_version else f"/api/{group_version}"
        resource = self._resource(root, kind)
        scope = f"/namespaces/{metadata.get('namespace', 'default')}" if resource["namespaced"] else ""
        return f"{root}{scope}/{resource['name']}/{metadata['name']}"

    def _resource(self, root: str, kind: str) -> Object:
        if kind not in self._resources.get(root, {}):
            resources = self.request("GET", root)["resources"]
            self._resources[root] = {entry["kind"]: entry for entry in resources if "/" not in entry["name"]}
        return self._resources[root][kind]

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
        end = time.monotonic() + timeout
        while True:
            answer = self._session.request(
                method,
                self.server + path,
                params=params,
                data=None if body is None else json.dumps(body),
                headers={"Content-Type": content_type},
                timeout=timeout,
            )
            # "storage is (re)initializing", says a server that has just started or got a definition: ask again.
            if answer.status_code != TOO_MANY_REQUESTS or time.monotonic() >= end:
                break
            time.sleep(0.1)
        if answer.status_code >= 400:
            raise ApiError(answer.status_code, f"{method} {path}: {message_of(answer)}")
        found: Object = answer.json()
        return found


def message_of(answer: requests.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:500]
