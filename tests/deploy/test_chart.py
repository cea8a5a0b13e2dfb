"""What the chart renders: with what must be set, with everything set, and with what it refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from reconciler.plan.shards import Shard, lease_name
from tests.deploy.chart import (
    ALERTS,
    CHART,
    EVERYTHING,
    MINIMUM,
    NAME,
    NAMESPACE,
    WITH_MONITOR,
    HelmError,
    container,
    helm,
    of_kind,
    render,
)

ALL = {**EVERYTHING, **WITH_MONITOR}
BOTH = pytest.mark.parametrize("values", [MINIMUM, ALL], ids=["minimum", "everything"])
SCHEMA = json.loads((CHART / "values.schema.json").read_text())


@pytest.mark.real
@BOTH
def test_lint(values: Mapping[str, Any]) -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART), values=values)


@pytest.mark.real
def test_what_must_be_set_is_asked_for() -> None:
    for missing in ("image", "repository"):
        with pytest.raises(HelmError, match=rf"{missing}\.\w+: "):
            render({name: part for name, part in MINIMUM.items() if name != missing})


@pytest.mark.real
def test_a_release_as_it_is_by_default() -> None:
    objects = render()
    assert sorted((each["kind"], each["metadata"]["name"]) for each in objects) == [
        ("Deployment", NAME),
        ("NetworkPolicy", NAME),
        ("PodDisruptionBudget", NAME),
        ("Role", NAME),
        ("RoleBinding", NAME),
        ("Service", NAME),
        ("ServiceAccount", NAME),
    ]
    assert {each["metadata"]["namespace"] for each in objects} == {NAMESPACE}
    (deployment,) = of_kind(objects, "Deployment")
    assert deployment["spec"]["replicas"] == 2
    assert "--leader-elect" in container(deployment)["args"]
    assert container(deployment)["image"] == "registry.example/reconciler:0.1.0"


@pytest.mark.real
@BOTH
def test_pods_are_hardened(values: Mapping[str, Any]) -> None:
    """Beyond what `restricted` asks for: the root file system is read-only, and the user is a known one."""
    for deployment in of_kind(render(values), "Deployment"):
        pod, only = deployment["spec"]["template"]["spec"], container(deployment)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 65532
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not any(volume.get("hostPath") for volume in pod["volumes"])
        assert pod["terminationGracePeriodSeconds"] > 10
        mounted = {mount["mountPath"] for mount in only["volumeMounts"] if not mount.get("readOnly")}
        assert mounted == {"/cache", "/tmp"}
        assert only["resources"]["limits"]["memory"]
        assert {only[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness")} == {"/healthz"}
        assert only["readinessProbe"]["httpGet"]["path"] == "/readyz"


@pytest.mark.real
def test_secrets_are_named_and_mounted_whole() -> None:
    """A subPath would never see a Secret that is rotated; none of their contents is in an argument or a variable."""
    deployment = of_kind(render(ALL), "Deployment")[0]
    pod, only = deployment["spec"]["template"]["spec"], container(deployment)
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    places = {mount["mountPath"]: volumes[mount["name"]] for mount in only["volumeMounts"]}
    assert not any("subPath" in mount for mount in only["volumeMounts"])
    assert not any("valueFrom" in each and "secretKeyRef" in each["valueFrom"] for each in only["env"])
    files = dict(arg.split("=", 1) for arg in only["args"] if "=/etc/reconciler/" in arg)
    wanted = {
        "--git-token-file": ("git", "token"),
        "--git-ca-file": ("git-ca", "ca.crt"),
        "--ssh-key-file": ("git-ssh", "identity"),
        "--ssh-known-hosts": ("git-ssh", "known_hosts"),
        "--signing-key": ("signing", "key"),
        "--webhook-secret-file": ("webhook", "secret"),
        "--notify-file": ("notify", "urls"),
    }
    assert files.keys() == wanted.keys()
    for option, path in files.items():
        folder, _, key = path.rpartition("/")
        source = places[folder].get("secret") or places[folder]["configMap"]
        assert (source.get("secretName") or source["name"], key) == wanted[option]
        assert key in [item["path"] for item in source["items"]]
        assert source.get("defaultMode", 0) & 0o007 == 0


@pytest.mark.real
def test_a_deployment_a_budget_and_a_lease_for_each_shard() -> None:
    objects = render(ALL)
    deployments = of_kind(objects, "Deployment")
    shards = [arg for each in deployments for arg in container(each)["args"] if arg.startswith("--shard=")]
    assert shards == ["--shard=1/3", "--shard=2/3", "--shard=3/3"]
    selectors = [each["spec"]["selector"]["matchLabels"] for each in deployments]
    assert len({yaml.safe_dump(selector) for selector in selectors}) == 3, "or they would take each other's pods"
    for each, selector in zip(deployments, selectors, strict=True):
        assert selector.items() <= each["spec"]["template"]["metadata"]["labels"].items()
    budgets = of_kind(objects, "PodDisruptionBudget")
    assert [each["spec"]["selector"]["matchLabels"] for each in budgets] == selectors
    assert leases_of(objects) == [lease_name(Shard(index, 3)) for index in (1, 2, 3)]


@pytest.mark.real
def test_the_lease_without_shards() -> None:
    assert leases_of(render()) == [lease_name(Shard())]


def leases_of(objects: list[dict[str, Any]]) -> list[str]:
    """The names of the Leases that may be read and written."""
    role = next(each for each in of_kind(objects, "Role") if each["metadata"]["name"] == NAME)
    (named,) = [rule for rule in role["rules"] if "resourceNames" in rule]
    assert named["verbs"] == ["get", "update"]
    return list(named["resourceNames"])


@pytest.mark.real
def test_no_right_reaches_over_the_cluster() -> None:
    for values in (MINIMUM, ALL):
        objects = render(values)
        assert not [each for each in objects if each["kind"].startswith("ClusterRole")]
        rules = [rule for role in of_kind(objects, "Role") for rule in role["rules"]]
        assert not [rule for rule in rules if "*" in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])]


@pytest.mark.real
@pytest.mark.parametrize(("values", "address"), [(MINIMUM, "0.0.0.0"), (ALL, "[::]")])  # noqa: S104
def test_the_address_that_a_pod_serves_on(values: Mapping[str, Any], address: str) -> None:
    deployments = of_kind(render(values), "Deployment")
    assert deployments
    assert all(f"--listen={address}:8080" in container(each)["args"] for each in deployments)


@pytest.mark.real
def test_the_monitor_finds_the_service() -> None:
    objects = render({**MINIMUM, **WITH_MONITOR})
    (monitor,), (service,) = of_kind(objects, "ServiceMonitor"), of_kind(objects, "Service")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] in [port["name"] for port in service["spec"]["ports"]]


@pytest.mark.real
def test_the_alerts_are_those_of_the_file() -> None:
    """By `--set-file`, as README tells, so that there is one copy; their own templates are left to Prometheus."""
    values = json.dumps({"image": MINIMUM["image"], "repository": MINIMUM["repository"]})
    text = helm("template", "fleet", str(CHART), f"--set-file=alerts={ALERTS}", f"--set-json={values}")
    (rule,) = of_kind((each for each in yaml.safe_load_all(text) if each), "PrometheusRule")
    assert rule["spec"] == yaml.safe_load(ALERTS.read_text())


@pytest.mark.real
def test_one_namespace_is_named_once() -> None:
    with pytest.raises(HelmError, match="a namespace is named twice"):
        render({**MINIMUM, "kubeconfigSecrets": [{"namespace": "a"}, {"namespace": "a", "names": ["b"]}]})


WRONG: dict[str, tuple[str, Any]] = {
    "unknown": ("replica", 2),
    "unknown below": ("git.tokn", {}),
    "of another type": ("replicas", "two"),
    "negative": ("replicas", -1),
    "no shard": ("shards", 0),
    "latest": ("image.tag", "latest"),
    "digest": ("image.digest", "sha256:abc"),
    "pull policy": ("image.pullPolicy", "Sometimes"),
    "password in the URL": ("repository.url", "https://me:secret@git.example/fleet.git"),
    "token in the URL": ("repository.url", "https://secret@git.example/fleet.git"),
    "password in an ssh URL": ("repository.url", "ssh://me:secret@git.example/fleet.git"),
    "a path": ("repository.url", "/var/lib/fleet.git"),
    "plain http": ("repository.url", "http://git.example/fleet.git"),
    "an option for a branch": ("repository.branch", "--upload-pack=evil"),
    "absolute path": ("repository.path", "/fleet"),
    "interval": ("repository.interval", "30"),
    "a secret's contents": ("git.token", "ghp_0123"),
    "key": ("git.token.key", "a/b"),
    "signing format": ("git.signing.format", "gpg"),
    "committer": ("git.committer", "Robot"),
    "log level": ("log.level", "loud"),
    "velero's namespace": ("veleroNamespace", "Velero"),
    "kubeconfigs without a namespace": ("kubeconfigSecrets", [{"names": ["a"]}]),
    "kubeconfigs everywhere": ("kubeconfigSecrets", [{"namespace": "*"}]),
    "port": ("networkPolicy.ports", [0]),
    "an address with a port": ("service.address", "0.0.0.0:80"),
    "cache": ("cache.size", "lots"),
    "alerts that are none": ("alerts", "deploy/alerts.yaml"),
    "positional argument": ("extraArgs", ["evil"]),
}


def having(path: str, value: Any) -> dict[str, Any]:
    """The minimum and that."""
    values = copy.deepcopy(dict(MINIMUM))
    *folders, last = path.split(".")
    place = values
    for folder in folders:
        place = place.setdefault(folder, {})
    place[last] = value
    return values


@pytest.mark.parametrize(("path", "value"), WRONG.values(), ids=WRONG)
def test_the_schema_refuses(path: str, value: Any) -> None:
    """As Helm does with it, here quickly; just that value is refused."""
    errors = list(Draft7Validator(SCHEMA).iter_errors(merged(having(path, value))))
    assert errors, f"{path}: {value!r} is taken"
    top = path.partition(".")[0]
    assert all(top in (*error.absolute_path, *error.message.replace("'", " ").split()) for error in errors)


def merged(values: Mapping[str, Any]) -> dict[str, Any]:
    """Over the defaults, as Helm does before it asks the schema."""

    def over(base: Any, top: Any) -> Any:
        if not (isinstance(base, dict) and isinstance(top, Mapping)):
            return top
        return base | {name: over(base.get(name), part) for name, part in top.items()}

    done: dict[str, Any] = over(yaml.safe_load((CHART / "values.yaml").read_text()), values)
    return done


@pytest.mark.real
@pytest.mark.parametrize("which", ["unknown", "password in the URL", "a secret's contents"])
def test_helm_asks_the_schema(which: str) -> None:
    with pytest.raises(HelmError, match="values don't meet the specifications of the schema"):
        render(having(*WRONG[which]))


@pytest.mark.parametrize("values", [{}, MINIMUM, ALL], ids=["defaults", "minimum", "everything"])
def test_the_schema_takes(values: Mapping[str, Any]) -> None:
    assert not list(Draft7Validator(SCHEMA).iter_errors(merged(values)))


def test_everything_sets_what_can_be_set() -> None:
    """So that a new value is rendered by a test, too."""
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    left = {name for name, default in defaults.items() if merged(ALL)[name] == default}
    assert left <= {"events", "podDisruptionBudget"}


@pytest.mark.real
@BOTH
def test_every_argument_is_an_option(values: Mapping[str, Any]) -> None:
    """Of `reconciler sync` as it is: an option that was renamed would let no pod start."""
    from reconciler.cli.running import sync

    options = {name: param for param in sync.params for name in param.opts}
    for deployment in of_kind(render(values), "Deployment"):
        command, *arguments = container(deployment)["args"]
        assert command == "sync"
        with sync.make_context("sync", list(arguments), resilient_parsing=True) as context:
            assert not context.args
        for argument in arguments:
            name, equals, _ = argument.partition("=")
            assert name in options, argument
            assert bool(equals) != bool(getattr(options[name], "is_flag", False)), argument
