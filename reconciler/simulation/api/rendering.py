"""Objects as clients accept them: JSON or YAML, single or in lists, as they are, as Tables or with metadata alone."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import yaml

from reconciler.simulation.api import statuses
from reconciler.simulation.api.requests import JSON, YAML, Answer, Request
from reconciler.simulation.api.statuses import ApiStatusError
from reconciler.simulation.api.store import Store
from reconciler.simulation.api.tables import table
from reconciler.simulation.api.types import Kind
from reconciler.simulation.api.watching import Watcher
from reconciler.simulation.cluster import Object

_PARTIAL = "PartialObjectMetadata"
_ANY = ("*/*", "application/*")


@dataclass(frozen=True, slots=True)
class View:
    """What a client accepts: `media` is JSON or YAML, `shape` Table, PartialObjectMetadata(List) or nothing."""

    media: str
    shape: str = ""


def accepted(request: Request) -> View:
    """The first thing of its Accept header that can be had. 406 where there is none."""
    for part in request.headers.get("accept", "*/*").split(","):
        media, *parameters = [each.strip() for each in part.split(";")]
        shape = next((each[3:] for each in parameters if each.startswith("as=")), "")
        if media in (JSON, YAML, *_ANY) and shape in ("", "Table", _PARTIAL, f"{_PARTIAL}List"):
            return View(YAML if media == YAML else JSON, shape)
    text = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml,"
    raise ApiStatusError(406, "NotAcceptable", f"{text} application/vnd.kubernetes.protobuf", {})


class Renderer:
    """Renders for one request."""

    def __init__(self, store: Store, kind: Kind, request: Request) -> None:
        self._store, self._kind, self._request = store, kind, request
        self._view = accepted(request)

    def one(self, status: int, obj: Object, warnings: tuple[str, ...] = ()) -> Answer:
        shown = obj
        if obj.get("kind") != "Status":
            if self._view.shape == "Table":
                shown = self._table([obj], obj["metadata"].get("resourceVersion", ""))
            elif self._view.shape:
                shown = _partial(obj)
        return self._answer(status, shown, warnings)

    def many(self, objects: list[Object]) -> Answer:
        """A list; with `limit` and `continue`, a page of it."""
        version = str(self._store.version)
        page, meta = _page(objects, self._request, version)
        meta = {"resourceVersion": version, **({"continue": ""} if self._kind.custom else {}), **meta}
        if self._view.shape == "Table":
            return self._answer(200, {**self._table(page, version), "metadata": meta}, ())
        if self._view.shape:
            typed = {"kind": f"{_PARTIAL}List", "apiVersion": "meta.k8s.io/v1"}
            return self._answer(200, {**typed, "metadata": meta, "items": [_partial(obj) for obj in page]}, ())
        typed = {"kind": self._kind.list_kind, "apiVersion": self._kind.type.api_version}
        return self._answer(200, {**typed, "metadata": meta, "items": [self._item(obj) for obj in page]}, ())

    def stream(self, watcher: Watcher) -> Answer:
        media = f"{JSON};stream=watch" if self._view.shape else JSON
        return Answer(200, content_type=media, stream=watcher.lines(self._event))

    def _event(self, event: Object) -> Object:
        obj = event["object"]
        if event["type"] == "ERROR" or not self._view.shape:
            return event
        if self._view.shape == "Table":
            shown = [obj] if event["type"] != "BOOKMARK" else []
            return {**event, "object": self._table(shown, obj["metadata"].get("resourceVersion", ""))}
        return {**event, "object": _partial(obj)}

    def _table(self, objects: list[Object], version: str) -> Object:
        include = self._request.query.get("includeObject", "Metadata")
        return table(self._kind, objects, version, self._store.clock.now(), include)

    def _item(self, obj: Object) -> Object:
        """Items of built-in kinds do not say what they are."""
        return obj if self._kind.custom else {key: obj[key] for key in obj if key not in ("kind", "apiVersion")}

    def _answer(self, status: int, obj: Object, warnings: tuple[str, ...]) -> Answer:
        if self._view.media == YAML:
            return Answer(status, yaml.dump(obj, Dumper=_Dumper, sort_keys=True).encode(), YAML, warnings)
        return Answer.of(status, obj, warnings)


class _Dumper(yaml.SafeDumper):
    """Objects share parts of each other; that is nobody's business."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _partial(obj: Object) -> Object:
    return {"kind": _PARTIAL, "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def _page(objects: list[Object], request: Request, version: str) -> tuple[list[Object], Object]:
    """As a real server, a token names the last object seen and the resourceVersion of the first page."""
    limit = request.query.get("limit") or "0"
    if not limit.lstrip("-").isdigit():
        raise statuses.bad_request(f'strconv.ParseInt: parsing "{limit}": invalid syntax')
    meta: Object = {}
    if token := request.query.get("continue"):
        after, meta["resourceVersion"] = _read_token(token)
        objects = [obj for obj in objects if _place(obj) > after]
    if not 0 < int(limit) < len(objects):
        return objects, meta
    page, rest = objects[: int(limit)], objects[int(limit) :]
    meta["continue"] = _token(page[-1], meta.get("resourceVersion", version))
    if not (request.query.get("labelSelector") or request.query.get("fieldSelector")):
        meta["remainingItemCount"] = len(rest)
    return page, meta


def _place(obj: Object) -> list[str]:
    return [obj["metadata"].get("namespace", ""), obj["metadata"]["name"]]


def _token(last: Object, version: str) -> str:
    content = {"v": "meta.k8s.io/v1", "rv": int(version), "start": "/".join(_place(last)) + "\0"}
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[list[str], str]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return content["start"].rstrip("\0").split("/"), str(content["rv"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        text = "invalid continue token: continue key is not valid: invalid character"
        raise statuses.bad_request(text) from error
