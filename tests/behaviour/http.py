"""Bare HTTP to a member's API server with the credentials of its kubeconfig, to see answers to the letter."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.fleets import Member, Object

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is JSON where it is, else text."""

    code: int
    body: Any
    headers: dict[str, str]

    @property
    def refusal(self) -> tuple[int, str, str]:
        """Code, reason and message of a Status."""
        assert self.body["kind"] == "Status", self.body
        return self.code, self.body.get("reason", ""), self.body["message"]


class Http:
    """Requests by method and path; every keyword is a parameter of the query."""

    def __init__(self, member: Member, folder: Path) -> None:
        config = yaml.safe_load(member.kubeconfig_text)
        cluster = config["clusters"][0]["cluster"]
        authority = folder / f"{member.name}.pem"
        authority.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        self._server = cluster["server"]
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(authority)
        self.token: str | None = config["users"][0]["user"]["token"]

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        **query: str,
    ) -> Answer:
        response = self._session.request(
            method,
            self._server + path,
            params=query,
            data=body if isinstance(body, str | bytes | None) else json.dumps(body),
            headers=self._headers(content_type, accept),
            timeout=20,
        )
        try:
            content = response.json()
        except ValueError:
            content = response.text
        return Answer(response.status_code, content, dict(response.headers))

    def watch(self, path: str, seconds: int = 1, **query: str) -> list[Object]:
        """The events of a watch that the server ends after so many seconds."""
        return list(self.events(path, timeoutSeconds=str(seconds), **query))

    def events(self, path: str, **query: str) -> Iterator[Object]:
        """The events of a watch as they come."""
        params = {"watch": "true", **query}
        headers = self._headers("application/json", "application/json")
        with self._session.get(
            self._server + path, params=params, headers=headers, stream=True, timeout=20
        ) as response:
            assert response.status_code == 200, response.text
            for line in response.iter_lines():
                yield json.loads(line)

    def until(self, path: str, code: int, seconds: float = 30) -> Answer:
        """The answer to GET once it has that code."""
        end = time.monotonic() + seconds
        while (answer := self("GET", path)).code != code:
            assert time.monotonic() < end, f"{path}: {answer.code} instead of {code}"
            time.sleep(0.05)
        return answer

    def _headers(self, content_type: str, accept: str) -> dict[str, str]:
        headers = {"Content-Type": content_type, "Accept": accept}
        return headers | ({"Authorization": f"Bearer {self.token}"} if self.token else {})


def in_a_namespace(member: Member, folder: Path) -> Iterator[Http]:
    """For a fixture: there is a namespace `space`, which is gone afterwards."""
    member.api.create("/api/v1/namespaces", {"metadata": {"name": "space"}})
    yield Http(member, folder)
    member.remove_namespace("space")
