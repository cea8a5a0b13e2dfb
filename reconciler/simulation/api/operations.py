"""What each verb does on a resource: from a request to the store, and back to what the client accepts."""

from __future__ import annotations

from reconciler.simulation.api import decoding, patches, selectors, statuses
from reconciler.simulation.api.applying import apply
from reconciler.simulation.api.rendering import Renderer
from reconciler.simulation.api.requests import Answer, Request, Target
from reconciler.simulation.api.selectors import Selector
from reconciler.simulation.api.statuses import ApiStatusError, Cause
from reconciler.simulation.api.store import Store
from reconciler.simulation.api.types import Kind
from reconciler.simulation.api.watching import Watch, Watcher
from reconciler.simulation.cluster import Object

_JSON_PATCH = "application/json-patch+json"
_MERGE_PATCH = "application/merge-patch+json"
_STRATEGIC = "application/strategic-merge-patch+json"
_APPLY = "application/apply-patch+yaml"
_ANSWER_THE_OBJECT = ("Pod", "Service", "ServiceAccount", "PersistentVolume", "PersistentVolumeClaim")


class Operation:
    """One request on one resource; `run` carries it out."""

    def __init__(self, store: Store, kind: Kind, target: Target, request: Request) -> None:
        self.store, self.kind, self.target, self.request = store, kind, target, request
        self.namespace = target.object_namespace
        self.render = Renderer(store, kind, request)

    def run(self) -> Answer:
        match self.target.verb:
            case "get":
                return self.render.one(200, self.current())
            case "list":
                return self.list()
            case "watch":
                return self.render.stream(Watcher(self.store, self.watch()))
            case "create":
                return self.create()
            case "update":
                return self.update()
            case "patch":
                return self.patch()
            case "delete":
                return self.delete()
            case "deletecollection":
                return self.delete_collection()
        raise statuses.method_not_allowed()

    def current(self) -> Object:
        found = self.store.peek(self.kind.type.name, self.namespace, self.target.name)
        if found is None:
            raise statuses.not_found(self.kind.type, self.target.name)
        return found

    def selected(self) -> list[Object]:
        within = self.namespace or None
        selector = self.selector()
        return [obj for obj in self.store.listed(self.kind.type.name, within) if selector(obj)]

    def selector(self) -> Selector:
        by_label = selectors.label_selector(self.request.query.get("labelSelector", ""))
        terms = self.request.query.get("fieldSelector", "")
        if self.target.name:  # a watch of a single object
            terms = f"metadata.name={self.target.name}"
        by_field = selectors.field_selector(self.kind, terms) if terms else selectors.everything
        return lambda obj: by_label(obj) and by_field(obj)

    def list(self) -> Answer:
        self.version("invalid resource version: ", 400, "BadRequest")
        return self.render.many(self.selected())

    def version(self, prefix: str, code: int, reason: str) -> str:
        """The resourceVersion of the query: a number that is not in the future."""
        version = self.request.query.get("resourceVersion", "")
        if version and not version.isdigit():
            why = f'resourceVersion: Invalid value: "{version}": strconv.ParseUint: parsing "{version}": invalid syntax'
            raise ApiStatusError(code, reason, prefix + why)
        if version and int(version) > self.store.version and self.target.verb == "list":
            text = f"Timeout: Too large resource version: {version}, current: {self.store.version}"
            causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
            raise ApiStatusError(504, "Timeout", text, {"causes": causes, "retryAfterSeconds": 1})
        return version

    def watch(self) -> Watch:
        query = self.request.query
        return Watch(
            self.kind,
            self.namespace or None,
            self.selector(),
            self.version("", 500, ""),
            self.request.flag("sendInitialEvents"),
            self.request.flag("allowWatchBookmarks"),
            float(query.get("timeoutSeconds") or 1800),
        )

    def create(self) -> Answer:
        dry_run = decoding.check_options(self.request, "create")
        obj, warnings = decoding.decode(self.kind, self.request)
        made = self.store.create(self.kind.type.name, self.namespace, obj, dry_run=dry_run)
        if dry_run:
            made["metadata"].pop("resourceVersion", None)
        return self.render.one(201, made, warnings)

    def update(self) -> Answer:
        dry_run = decoding.check_options(self.request, "update")
        obj, warnings = decoding.decode(self.kind, self.request)
        meta = self.named(obj)
        if not self.target.subresource:
            self.check_identity(meta)
        subresource = self.target.subresource
        made = self.store.update(self.kind.type.name, obj, dry_run=dry_run, subresource=subresource)
        return self.render.one(200, made, warnings)

    def named(self, obj: Object) -> Object:
        """Its metadata, which must name the object of the path. 400 where it names another."""
        meta: Object = obj.get("metadata") or {}
        name, wanted = meta.get("name"), self.target.name
        if not name:
            text = f"the name of the object ({wanted} based on URL) was undeterminable: name must be provided"
            raise statuses.bad_request(text)
        if name != wanted:
            raise statuses.bad_request(f"the name of the object ({name}) does not match the name on the URL ({wanted})")
        if self.kind.type.namespaced and meta.setdefault("namespace", self.namespace) != self.namespace:
            text = "the namespace of the provided object does not match the namespace sent on the request"
            raise statuses.bad_request(text)
        return meta

    def check_identity(self, meta: Object) -> None:
        """A PUT of a custom resource says which version it replaces; none replaces an object of another uid."""
        old = self.current()["metadata"]
        if meta.get("uid") and meta["uid"] != old["uid"]:
            where = f"/registry/{self.kind.type.plural}/{self.namespace}/{self.target.name}"
            why = f"StorageError: invalid object, Code: 4, Key: {where}, ResourceVersion: 0, AdditionalErrorMsg:"
            why += f" Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {old['uid']}"
            raise statuses.conflict(self.kind.type, self.target.name, why)
        version = meta.get("resourceVersion")
        if version and not str(version).isdigit():
            raise ApiStatusError(500, "", f'strconv.ParseUint: parsing "{version}": invalid syntax')
        if self.kind.custom and not version:
            of, text = self.kind.type, "Invalid value: 0: must be specified for an update"
            refused = statuses.invalid(of.group, of.plural, self.target.name, [Cause("metadata.resourceVersion", text)])
            raise refused

    def patch(self) -> Answer:
        dry_run = decoding.check_options(self.request, "patch")
        sort = self.request.content_type
        if sort == _APPLY:
            return self.apply(dry_run=dry_run)
        if sort not in (_JSON_PATCH, _MERGE_PATCH) and (sort != _STRATEGIC or self.kind.custom):
            raise self.unsupported(sort)
        old = self.current()
        new = self.patched(old, sort)
        self.named(new)
        warnings = decoding.check_patched(self.kind, new, self.request)
        subresource = self.target.subresource
        made = self.store.update(self.kind.type.name, new, dry_run=dry_run, subresource=subresource)
        return self.render.one(200, made, warnings)

    def patched(self, old: Object, sort: str) -> Object:
        patch = decoding.patch_of(self.request)
        if sort == _JSON_PATCH:
            return patches.json_patch(old, patch)
        if not isinstance(patch, dict):
            wrong = f"json: cannot unmarshal {decoding.go_type(patch)} into Go value of type map[string]interface {{}}"
            raise statuses.bad_request(f"error decoding patch: {wrong}")
        if sort == _STRATEGIC:
            merged: Object = patches.strategic_merge(old, patch, self.kind.schema)
        else:
            merged = patches.merge_patch(old, patch)
        return merged

    def unsupported(self, sort: str) -> ApiStatusError:
        known = [_JSON_PATCH, _MERGE_PATCH, *([] if self.kind.custom else [_STRATEGIC]), _APPLY]
        if sort in (_STRATEGIC, *known):
            text = "the body of the request was in an unknown format - accepted media types include: "
            return decoding.unsupported_media_type(text + ", ".join(known))
        return ApiStatusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})

    def apply(self, *, dry_run: bool) -> Answer:
        manager = self.request.query.get("fieldManager", "")
        if not manager:
            missing = Cause("fieldManager", "Required value: is required for apply patch")
            raise statuses.invalid_options("PatchOptions", missing)
        of = self.kind.type
        config = decoding.applied(self.kind, self.request)
        self.named(config)
        live = self.store.peek(of.name, self.namespace, self.target.name)
        force = self.request.flag("force")
        merged = apply(self.kind, live, config, manager, force=force, now=self.store.now())
        if live is None:
            made = self.store.create(of.name, self.namespace, merged, dry_run=dry_run)
            return self.render.one(201, made)
        subresource = self.target.subresource
        return self.render.one(200, self.store.update(of.name, merged, dry_run=dry_run, subresource=subresource))

    def delete(self) -> Answer:
        options = decoding.removal_options(self.request)
        removed = self.store.remove(self.kind.type.name, self.namespace, self.target.name, **options)
        if not removed.gone or self.kind.type.kind in _ANSWER_THE_OBJECT:
            return self.render.one(200, removed.obj)
        details = {**statuses.details_of(self.kind.type, self.target.name), "uid": removed.obj["metadata"]["uid"]}
        success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return self.render.one(200, success)

    def delete_collection(self) -> Answer:
        options = decoding.removal_options(self.request)
        found = self.selected()
        for obj in found:
            self.store.remove(self.kind.type.name, self.namespace, obj["metadata"]["name"], **options)
        return self.render.many(found)
