"""The API server of one cluster: a request in, an answer out. Who asks, whether they may, and which resource it is for.

Requests come over HTTP from `simulation.server`, and straight from `simulation.client`, the tests' own eyes.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from reconciler.simulation.api import decoding, discovery, rbac, requests, statuses
from reconciler.simulation.api.operations import Operation
from reconciler.simulation.api.rbac import Access, User
from reconciler.simulation.api.requests import PLAIN, Answer, Request, Target
from reconciler.simulation.api.statuses import ApiStatusError, Cause
from reconciler.simulation.api.store import Store
from reconciler.simulation.api.types import Kind
from reconciler.simulation.cluster import Object, StatusError


class ApiServer:
    """Answers requests; `audit` holds an event for each write, and each read of the users `reads_of`, oldest first."""

    def __init__(self, store: Store, reads_of: Collection[str] = ()) -> None:
        self.store = store
        self.reads_of = reads_of
        self.access = Access(store)
        self.audit: list[Object] = []

    def answer(self, request: Request) -> Answer:
        """Never raises: what is refused is answered with a Status."""
        target = requests.target_of(request.method, request.path, request.query)
        user = rbac.ANONYMOUS
        try:
            user = self.access.authenticate(request.headers.get("authorization", ""))
            self.access.authorise(user, target)
            answer = self._route(user, target, request)
        except StatusError as error:
            answer = Answer.of(error.code, statuses.status(error))
        if target.verb in requests.WRITES or user.name in self.reads_of:
            self.audit.append(requests.audit_event(request, target, user.name, answer.status))
        return answer

    def _route(self, user: User, target: Target, request: Request) -> Answer:
        if not target.plural:
            found = discovery.answer(self.store, request)
            if found is None:
                return self._missing(target)
            if request.method not in ("GET", "HEAD"):
                raise statuses.method_not_allowed()
            return found
        match target.plural, target.group:
            case "selfsubjectaccessreviews", "authorization.k8s.io":
                return self._access_review(user, request)
            case "selfsubjectreviews", "authentication.k8s.io":
                return _self_review(user)
        kind = self.store.kinds.get(target.resource)
        if kind is None or kind.type.version != target.version:
            return self._missing(target)
        if target.subresource and target.subresource not in kind.subresources:
            if kind.custom and target.name:
                raise statuses.not_found(kind.type, target.name)
            return self._missing(target)
        if kind.custom and kind.type.namespaced and not target.object_namespace and target.verb in requests.WRITES:
            return self._missing(target)
        self._check_method(kind, target)
        match target.subresource:
            case "token":
                return self._token(kind, target, request)
            case "scale":
                return self._scale(kind, target, request)
        return Operation(self.store, kind, target, request).run()

    def _missing(self, target: Target) -> Answer:
        """The part of a server that serves built-in groups answers with a Status, the other with a text."""
        served = {kind.type.group for kind in self.store.kinds.values() if not kind.custom}
        if target.path.startswith("/api/") or (target.group and target.group in served):
            return Answer.of(404, statuses.status(_no_resource()))
        return Answer(404, b"404 page not found\n", PLAIN)

    def _check_method(self, kind: Kind, target: Target) -> None:
        """404 or 405 for what no method is there."""
        everywhere = kind.type.namespaced and not target.object_namespace
        if not kind.type.namespaced and target.object_namespace:
            raise _no_resource()
        if target.subresource:
            if target.verb not in kind.subresources[target.subresource]["verbs"]:
                raise statuses.method_not_allowed()
            return
        misplaced = (everywhere and target.verb not in ("list", "watch")) or (
            target.name and target.verb == "create" and not kind.custom
        )
        nameless = not target.name and target.verb in ("update", "patch")
        if kind.custom and nameless:
            raise statuses.bad_request("name must be provided")
        if target.verb not in kind.verbs or misplaced or nameless:
            raise statuses.method_not_allowed()

    def _token(self, kind: Kind, target: Target, request: Request) -> Answer:
        """A token of a ServiceAccount, which is a user without any rights but those that bindings give."""
        found = self.store.peek(kind.type.name, target.namespace, target.name)
        if found is None:
            raise statuses.not_found(kind.type, target.name)
        sent = decoding.body_of(request) if request.body else {}
        seconds = int((sent.get("spec") or {}).get("expirationSeconds") or 3600)
        if seconds < 600:
            text = f"Invalid value: {seconds}: may not specify a duration less than 10 minutes"
            raise statuses.invalid("authentication.k8s.io", "TokenRequest", "", [Cause("spec.expirationSeconds", text)])
        expires = self.store.clock.now() + timedelta(seconds=seconds)
        token = self.access.issue(target.namespace, target.name)
        meta = {key: found["metadata"][key] for key in ("name", "namespace", "uid")}
        return Answer.of(
            201,
            {
                "kind": "TokenRequest",
                "apiVersion": "authentication.k8s.io/v1",
                "metadata": {**meta, "creationTimestamp": self.store.now()},
                "spec": {"expirationSeconds": seconds, "boundObjectRef": None},
                "status": {"token": token, "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ")},
            },
        )

    def _scale(self, kind: Kind, target: Target, request: Request) -> Answer:
        """The replicas of a Deployment or its like, read and written by itself."""
        found = self.store.find(kind.type.name, target.namespace, target.name)
        if found is None:
            raise statuses.not_found(kind.type, target.name)
        if target.verb != "get":
            sent = decoding.patch_of(request)
            dry_run = decoding.check_options(request, target.verb)
            found["spec"]["replicas"] = (sent.get("spec") or {}).get("replicas", found["spec"].get("replicas"))
            found = self.store.update(kind.type.name, found, dry_run=dry_run)
        kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        labels = found["spec"]["selector"].get("matchLabels", {})
        status: Object = {"replicas": found.get("status", {}).get("replicas", 0)}
        status["selector"] = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        return Answer.of(
            200,
            {
                "kind": "Scale",
                "apiVersion": "autoscaling/v1",
                "metadata": {key: found["metadata"][key] for key in kept},
                "spec": {"replicas": found["spec"]["replicas"]},
                "status": status,
            },
        )

    def _access_review(self, user: User, request: Request) -> Answer:
        """`kubectl auth can-i`."""
        spec = decoding.body_of(request).get("spec") or {}
        asked, path = spec.get("resourceAttributes") or {}, spec.get("nonResourceAttributes") or {}
        target = Target(
            path.get("verb") or asked.get("verb", ""),
            path.get("path", ""),
            asked.get("group", ""),
            asked.get("version", ""),
            asked.get("namespace", ""),
            asked.get("resource", ""),
            asked.get("name", ""),
            asked.get("subresource", ""),
        )
        refused = any(each.hits(user, target) for each in self.access.refusals)
        status = {"allowed": not refused and self.access.allows(user, target)}
        review = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}}
        return Answer.of(201, {**review, "spec": spec, "status": status})


def _self_review(user: User) -> Answer:
    """`kubectl auth whoami`."""
    review = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {}}
    return Answer.of(201, {**review, "status": {"userInfo": {"username": user.name, "groups": list(user.groups)}}})


def _no_resource() -> ApiStatusError:
    return ApiStatusError(404, "NotFound", "the server could not find the requested resource", {})
