"""Files of one object each, so that lines are easy to count, for the tests of `desired`."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.desired import Desired, resolve
from reconciler.manifests import SourceFile, read
from reconciler.resources import ClusterId, Identity

M1 = ClusterId("default", "AttachedCluster", "m1")
M2 = ClusterId("default", "AttachedCluster", "m2")

CLUSTERS = {
    "fleets/m1.yaml": """\
apiVersion: cluster.kurator.dev/v1alpha1
kind: AttachedCluster
metadata: {name: m1}
spec: {kubeconfig: {name: m1, key: m1.config}}
""",
    "fleets/m2.yaml": """\
apiVersion: cluster.kurator.dev/v1alpha1
kind: AttachedCluster
metadata: {name: m2}
spec: {kubeconfig: {name: m2}}
""",
}
FLEET = {
    "fleets/q.yaml": """\
apiVersion: fleet.kurator.dev/v1alpha1
kind: Fleet
metadata: {name: q}
spec:
  clusters:
  - {kind: AttachedCluster, name: m2}
  - {kind: AttachedCluster, name: m1}
"""
}


def a_cluster(name: str) -> str:
    return f"apiVersion: cluster.kurator.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: {name}}}\n"


def a_backup(name: str = "b", namespace: str = "default", more: str = "", clusters: str = "", fleet: str = "q") -> str:
    """Name in line 4, `fleet` in 8, `clusters` in 9 where there are any, then `more`."""
    listed = f"    clusters: {clusters}\n" if clusters else ""
    return f"""\
apiVersion: backup.kurator.dev/v1alpha1
kind: Backup
metadata:
  name: {name}
  namespace: {namespace}
spec:
  destination:
    fleet: {fleet}
{listed}{more}"""


def a_restore(name: str = "r", backup: str = "b", more: str = "") -> str:
    """Name in line 4, `backupName` in 6, then `more`."""
    return f"""\
apiVersion: backup.kurator.dev/v1alpha1
kind: Restore
metadata:
  name: {name}
spec:
  backupName: {backup}
{more}"""


def of(*names: str, kind: str = "AttachedCluster") -> str:
    return f"[{', '.join(f'{{kind: {kind}, name: {name}}}' for name in names)}]"


def resolved(files: Mapping[str, str], recorded: Mapping[Identity, str] | None = None) -> Desired:
    return resolve(read(SourceFile(path, text.encode()) for path, text in files.items()), recorded or {})


def with_fleet(recorded: Mapping[Identity, str] | None = None, **files: str) -> Desired:
    """The two clusters, their fleet, and files named `<keyword>.yaml`."""
    return resolved(CLUSTERS | FLEET | {f"{name}.yaml": text for name, text in files.items()}, recorded)


def told(desired: Desired) -> list[str]:
    return [str(problem) for problem in desired.problems]


def backup_id(name: str = "b", namespace: str = "default") -> Identity:
    return Identity("Backup", namespace, name)


def restore_id(name: str = "r") -> Identity:
    return Identity("Restore", "default", name)
