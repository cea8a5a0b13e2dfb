"""One member's API server: requests in, plain JSON or one of our errors out. The only door to `kubernetes`.

What an error proves decides whether something may be created again (design §4): only a failure before a connection
was there, or a Kubernetes Status of 400, 401, 403, 404 or 422, proves that a request did nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from reconciler.errors import AlreadyExists, KubeconfigError, MemberError, Refused, Unclear, Unreachable
from reconciler.members.kubeconfig import Kubeconfig
from reconciler.velero.plainly import mapping, word

if TYPE_CHECKING:
    from kubernetes.aio.client import ApiClient

READ_SECONDS: Final = 15.0
WRITE_SECONDS: Final = 20.0
CONNECT_SECONDS: Final = 5.0
_SILENCE_SECONDS: Final = 300.0
_ANSWER_LIMIT: Final = 64 << 20
_PROVES_NOTHING_DONE: Final = frozenset({400, 401, 403, 404, 422})
_REASONS: Final = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound"}
MERGE_PATCH: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"


class Client:
    """Requests to one API server. Answers of any method are the parsed JSON object."""

    def __init__(self, name: str, api: ApiClient) -> None:
        self._name = name
        self._api = api
        self._cluster_uid = ""

    @classmethod
    async def open(cls, name: str, kubeconfig: Kubeconfig) -> Client:
        """A client by that kubeconfig; nothing is sent yet. Raises KubeconfigError."""
        # 0.3 s of imports that only a command that talks to a member pays for
        from kubernetes.aio.client import ApiClient, Configuration
        from kubernetes.aio.config import ConfigException
        from kubernetes.aio.config.kube_config import KubeConfigLoader

        configuration = Configuration()
        configuration.client_session_kwargs = {"middlewares": (_refuse_redirects,)}
        try:
            loader = KubeConfigLoader(kubeconfig.content, active_context=kubeconfig.context, config_base_path=None)
            await loader.load_and_set(configuration)
            return cls(name, ApiClient(configuration))
        except ConfigException as error:
            where = f"context {kubeconfig.context}" if kubeconfig.context else "its kubeconfig"
            raise KubeconfigError(
                "InvalidKubeconfig",
                f"{where} of cluster {name} can't be used; check that it names a cluster and a user that are there"
                + (f", or map it with --context {name}=CONTEXT" if kubeconfig.context else ""),
            ) from error
        except Exception as error:  # whatever the library makes of it, the kubeconfig is to blame
            raise KubeconfigError(
                "InvalidKubeconfig",
                f"the kubeconfig of cluster {name} can't be used; mend its server, certificates, keys or credentials",
            ) from error

    async def close(self) -> None:
        """Ends its connections."""
        await self._api.close()

    async def cluster_uid(self) -> str:
        """The UID of namespace `kube-system`, which tells clusters apart whatever they are called."""
        if not self._cluster_uid:
            namespace = await self.request("GET", "/api/v1/namespaces/kube-system")
            uid = word(mapping(namespace.get("metadata")).get("uid"))
            if not uid:
                raise Unclear("ServerError", f"cluster {self._name} does not say which cluster it is")
            self._cluster_uid = uid
        return self._cluster_uid

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """One request, sent once. Raises Unreachable, Refused, AlreadyExists or Unclear."""
        seconds = READ_SECONDS if method == "GET" else WRITE_SECONDS
        timeout = aiohttp.ClientTimeout(total=seconds, connect=CONNECT_SECONDS)
        try:
            verb, url, headers, data, _ = await self._api.param_serialize(
                method,
                path,
                query_params=list((query or {}).items()),
                header_params={"Accept": "application/json", "Content-Type": content_type},
                body=body,
                auth_settings=["BearerToken"],
            )
            response = await self._api.rest_client.request(
                verb, url, headers=headers, body=data, _request_timeout=timeout
            )
            status, content = response.status, await _read(response.response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unreachable("Unreachable", f"cluster {self._name} can't be reached: {_cause(error)}") from error
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise Unclear("Unreachable", f"cluster {self._name} gave no answer: {_cause(error)}") from error
        return self._answer(path, status, content)

    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
        """The events of a watch, `{"type": …, "object": …}`, until the server ends it. Raises as `request` does."""
        timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=_SILENCE_SECONDS)
        try:
            verb, url, headers, _, _ = await self._api.param_serialize(
                "GET",
                path,
                query_params=list(query.items()),
                header_params={"Accept": "application/json"},
                auth_settings=["BearerToken"],
            )
            answer = await self._api.rest_client.request(verb, url, headers=headers, _request_timeout=timeout)
            async with answer.response as response:
                if response.status != 200:
                    raise self._error(path, response.status, _object(await _read(response)))
                async for line in _lines(response):
                    yield _object(line)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unreachable("Unreachable", f"cluster {self._name} can't be reached: {_cause(error)}") from error
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise Unclear("Unreachable", f"cluster {self._name} gave no answer: {_cause(error)}") from error

    def _answer(self, path: str, status: int, content: bytes) -> dict[str, Any]:
        answer = _object(content)
        if 200 <= status < 300 and answer:
            return answer
        raise self._error(path, status, answer)

    def _masked(self, told: str) -> str:
        """Without the token that we sent: a member, or a proxy before it, may say it back."""
        token = str(self._api.configuration.api_key.get("BearerToken", "")).removeprefix("Bearer ").strip()
        return told.replace(token, "***") if token else told

    def _error(self, path: str, status: int, answer: Mapping[str, Any]) -> MemberError:
        is_status = answer.get("kind") == "Status"
        if status == 404 and not is_status and path.startswith("/apis/"):
            api = "/".join(path.split("/")[2:4])
            return Unclear("VeleroMissing", f"cluster {self._name} serves no {api}; install Velero there")
        told = self._masked(str(answer.get("message", ""))) if is_status else "no answer of a Kubernetes API server"
        message = f"cluster {self._name}: {' '.join(told.split())[:300]} (HTTP {status})"
        if is_status and status == 409 and answer.get("reason") == "AlreadyExists":
            return AlreadyExists("NameConflict", message)
        if is_status and status == 409 and answer.get("reason") == "Conflict":
            return Unclear("Conflict", message)
        if is_status and status in _PROVES_NOTHING_DONE:
            return Refused(_REASONS.get(status, "Rejected"), message, status, _subject(answer))
        return Unclear(_REASONS.get(status, "ServerError"), message)


async def _refuse_redirects(request: Any, handler: Any) -> Any:
    """A member that sends its client elsewhere would get the credentials sent there."""
    response = await handler(request)
    if 300 <= response.status < 400:
        raise aiohttp.ClientError(f"it redirects elsewhere (HTTP {response.status})")
    return response


def _object(content: bytes) -> dict[str, Any]:
    """The JSON object, an empty one where it is none."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Lines of any length up to the limit: an object with its managed fields is longer than a reader's buffer."""
    rest = bytearray()
    async for chunk in response.content.iter_any():
        rest += chunk
        *lines, last = rest.split(b"\n")
        for line in lines:
            if line:
                yield bytes(line)
        rest = bytearray(last)
        if len(rest) > _ANSWER_LIMIT:
            raise ValueError(f"its answer is larger than {_ANSWER_LIMIT >> 20} MiB")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        content += chunk
        if len(content) > _ANSWER_LIMIT:
            response.close()
            raise ValueError(f"its answer is larger than {_ANSWER_LIMIT >> 20} MiB")
    return bytes(content)


def _subject(answer: Mapping[str, Any]) -> str:
    """`restores/name` of the very object that a Status speaks of."""
    details = answer.get("details")
    if not isinstance(details, Mapping):
        return ""
    return f"{details.get('kind', '')}/{details.get('name', '')}"


def _cause(error: BaseException) -> str:
    """In words that stay the same from one try to the next."""
    if isinstance(error, aiohttp.InvalidURL):  # it tells the URL, in which there may be a password
        return "its server is no URL"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not trusted: {error.certificate_error}"
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return f"{error.host}:{error.port}: {os.strerror(number) if number else type(error.os_error).__name__}"
    return str(error) or type(error).__name__
