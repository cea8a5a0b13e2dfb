"""Who may do what: the users of a cluster, its Roles and bindings as they stand, and refusals that tests ask for."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.simulation.api import statuses
from reconciler.simulation.api.requests import Target
from reconciler.simulation.api.statuses import ApiStatusError
from reconciler.simulation.api.store import Store
from reconciler.simulation.cluster import Object, ResourceType

_RBAC = "rbac.authorization.k8s.io"
_FOR_ALL = ("/healthz", "/livez", "/readyz", "/version")
_FOR_USERS = ("/api", "/apis", "/openapi", "/.well-known")
_OWN_REVIEWS = ("selfsubjectaccessreviews", "selfsubjectreviews")


@dataclass(frozen=True, slots=True)
class User:
    """A user with its groups, as a token tells."""

    name: str
    groups: tuple[str, ...] = ("system:authenticated",)


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
MASTERS = ("system:masters", "system:authenticated")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that tests add: refuses a verb on a resource, of one user or of all; empty means any."""

    verb: str = ""
    resource: str = ""
    user: str = ""

    def hits(self, user: User, target: Target) -> bool:
        return (
            self.verb in ("", target.verb)
            and self.resource in ("", target.plural, target.resource)
            and self.user in ("", user.name)
        )


class Access:
    """The tokens of one cluster and its rules."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._users: dict[str, User] = {}
        self.refusals: tuple[Refusal, ...] = ()

    def add(self, token: str, user: User) -> None:
        self._users[token] = user

    def issue(self, namespace: str, name: str) -> str:
        """A new token of a ServiceAccount."""
        token = secrets.token_urlsafe(32)
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        self.add(token, User(f"system:serviceaccount:{namespace}:{name}", groups))
        return token

    def authenticate(self, header: str) -> User:
        """401 for a wrong token; without one it is the anonymous user, as on a real server."""
        if not header:
            return ANONYMOUS
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or token.strip() not in self._users:
            raise statuses.unauthorized()
        return self._users[token.strip()]

    def authorise(self, user: User, target: Target) -> None:
        """403 unless some rule allows it."""
        refused = any(refusal.hits(user, target) for refusal in self.refusals)
        if refused or not self.allows(user, target):
            raise _forbidden(user, target)

    def allows(self, user: User, target: Target) -> bool:
        if "system:masters" in user.groups:
            return True
        if not target.plural:
            known = _FOR_ALL if user is ANONYMOUS else (*_FOR_ALL, *_FOR_USERS)
            return any(target.path == path or target.path.startswith(f"{path}/") for path in known)
        if target.plural in _OWN_REVIEWS and user is not ANONYMOUS:
            return True
        return any(_permits(rule, target) for rule in self._rules(user, target.namespace))

    def _rules(self, user: User, namespace: str) -> Iterator[Object]:
        for binding in self._store.listed(f"clusterrolebindings.{_RBAC}"):
            yield from self._bound(binding, user, "")
        for binding in self._store.listed(f"rolebindings.{_RBAC}", namespace) if namespace else ():
            yield from self._bound(binding, user, namespace)

    def _bound(self, binding: Object, user: User, namespace: str) -> Iterator[Object]:
        if not any(_is(subject, user, namespace) for subject in binding.get("subjects", ())):
            return
        of = binding["roleRef"]
        where = namespace if of["kind"] == "Role" else ""
        role = self._store.peek(f"{of['kind'].lower()}s.{_RBAC}", where, of["name"])
        yield from (role or {}).get("rules") or ()


def _is(subject: Object, user: User, namespace: str) -> bool:
    match subject.get("kind"):
        case "User":
            return bool(subject["name"] == user.name)
        case "Group":
            return subject["name"] in user.groups
        case _:
            account = f"{subject.get('namespace') or namespace}:{subject['name']}"
            return user.name == f"system:serviceaccount:{account}"


def _permits(rule: Object, target: Target) -> bool:
    resource = f"{target.plural}/{target.subresource}" if target.subresource else target.plural
    names = rule.get("resourceNames") or ()
    return (
        bool({"*", target.verb}.intersection(rule.get("verbs") or ()))
        and bool({"*", target.group}.intersection(rule.get("apiGroups") or ()))
        and bool({"*", resource, f"*/{target.subresource}"}.intersection(rule.get("resources") or ()))
        and (not names or target.name in names)
    )


def _forbidden(user: User, target: Target) -> ApiStatusError:
    who = f'User "{user.name}" cannot'
    if not target.plural:
        text = f'forbidden: {who} {target.verb} path "{target.path}"'
        return ApiStatusError(403, "Forbidden", text, {})
    resource = f"{target.plural}/{target.subresource}" if target.subresource else target.plural
    where = f'in the namespace "{target.namespace}"' if target.namespace else "at the cluster scope"
    why = f'{who} {target.verb} resource "{resource}" in API group "{target.group}" {where}'
    of = ResourceType(target.group, target.version, target.plural, "", bool(target.namespace))
    return statuses.forbidden(of, target.name, why)
