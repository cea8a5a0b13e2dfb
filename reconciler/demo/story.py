"""The story: a backup, a disaster, a restore by pull request, and what else can happen at 3 a.m."""

from __future__ import annotations

import signal
import tempfile
import time
from pathlib import Path

from reconciler.demo.stage import Stage
from reconciler.simulation.member import SimulatedMember

NAMESPACE = "shop"

FLEET = """\
apiVersion: cluster.kurator.dev/v1alpha1
kind: AttachedCluster
metadata: {name: kurator-member1, namespace: default}
spec: {kubeconfig: {name: kurator-member1, key: value}}
---
apiVersion: cluster.kurator.dev/v1alpha1
kind: AttachedCluster
metadata: {name: kurator-member2, namespace: default}
spec: {kubeconfig: {name: kurator-member2, key: value}}
---
apiVersion: fleet.kurator.dev/v1alpha1
kind: Fleet
metadata: {name: shops, namespace: default}
spec:
  clusters:
  - {name: kurator-member1, kind: AttachedCluster}
  - {name: kurator-member2, kind: AttachedCluster}
"""

BACKUP = """\
apiVersion: backup.kurator.dev/v1alpha1
kind: Backup
metadata: {name: before-upgrade, namespace: default}
spec:
  destination: {fleet: shops}
  policy:
    ttl: 720h
    resourceFilter: {includedNamespaces: [shop]}
"""

RESTORE = """\
apiVersion: backup.kurator.dev/v1alpha1
kind: Restore
metadata: {name: NAME, namespace: default}
spec:
  backupName: before-upgrade
"""

LABELLED_ON_ONE = """\
  destination: {fleet: shops, clusters: [{kind: AttachedCluster, name: kurator-member2}]}
  policy:
    namespaceMapping: {shop: shop-inspection}
    resourceFilter: {labelSelector: {matchLabels: {tier: config}}}
"""


def tell(keep: bool) -> None:
    """Plays all of it in under a minute; with `keep` the stage stays up until Ctrl-C. Raises ReconcilerError.

    SIGTERM is Ctrl-C here, so that nothing is left behind.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder, Stage(Path(folder)) as stage:
        stage.show("A fleet of two clusters runs in this process. Their Velero is simulated here; all else is true:")
        stage.show("the commands, the git repository and its remote, HTTP and TLS to the members, the records.")
        _prepare(stage)
        _restore(stage)
        _filter(stage)
        _one_is_down(stage)
        _fails_in_part(stage)
        _expires(stage)
        if keep:
            _stay(stage)


def _prepare(stage: Stage) -> None:
    stage.say("1. Make a repository ours, declare the fleet, and back up namespace shop.")
    stage.run("reconciler", "init")
    for member in stage.fleet.members:
        _populate(member)
    stage.contents(NAMESPACE)
    files = {"fleets/shops.yaml": FLEET, "backups/before-upgrade.yaml": BACKUP}
    stage.merge(files, "Back up the shops before the upgrade")
    stage.run("reconciler", "sync", "--once")


def _restore(stage: Stage) -> None:
    stage.say("2. Disaster: the namespace is gone on both clusters. A pull request asks for it back, and is merged.")
    for member in stage.fleet.members:
        member.remove_namespace(NAMESPACE)
    stage.contents(NAMESPACE)
    stage.merge({"restores/after-upgrade.yaml": RESTORE.replace("NAME", "after-upgrade")}, "Bring the shops back")
    stage.run("reconciler", "sync", "--once")
    stage.contents(NAMESPACE)
    stage.say("The record says who asked, what ran where, and from which backup; git log is the audit trail.")
    stage.run("reconciler", "get", "restore", "after-upgrade", "-o", "yaml")
    stage.run("git", "log", "--format=%h %an: %s")
    stage.say("It ran exactly once: another run does nothing.")
    stage.run("reconciler", "sync", "--once")


def _filter(stage: Stage) -> None:
    stage.say("3. One cluster, only what is labelled, into another namespace, to look into.")
    text = RESTORE.replace("NAME", "inspect") + LABELLED_ON_ONE
    stage.merge({"restores/inspect.yaml": text}, "Look into the configuration of member 2")
    stage.run("reconciler", "sync", "--once")
    stage.contents("shop-inspection")


def _one_is_down(stage: Stage) -> None:
    stage.say("4. A cluster is down: the other one is restored all the same, and the record says what is waited for.")
    down = stage.fleet.members[0]
    for member in stage.fleet.members:
        member.remove_namespace(NAMESPACE)
    down.stop_apiserver()
    stage.merge({"restores/again.yaml": RESTORE.replace("NAME", "again")}, "Bring the shops back again")
    stage.run("reconciler", "sync", "--once", code=3)
    stage.say("It is back, and what waited is done.")
    down.start_apiserver()
    stage.run("reconciler", "sync", "--once")


def _fails_in_part(stage: Stage) -> None:
    stage.say("5. A restore that fails in part: Velero's own words are in the repository and here.")
    broken = stage.fleet.members[1]
    for member in stage.fleet.members:
        member.remove_namespace(NAMESPACE)
    broken.delete_velero_deployment()
    stage.merge({"restores/broken.yaml": RESTORE.replace("NAME", "broken")}, "Bring the shops back once more")
    stage.run("reconciler", "sync", "--once", code=1)
    broken.create_velero_deployment()
    stage.run("git", "rm", "-q", "restores/broken.yaml")
    stage.run("git", "commit", "-q", "-m", "Dealt with")
    stage.run("git", "push", "-q")


def _expires(stage: Stage) -> None:
    stage.say("6. Thirty days later the backup has expired, and Velero has deleted it together with its restores.")
    stage.fleet.advance(days=31)
    for member in stage.fleet.members:
        _wait_until_gone(member)
        stage.show(f"{member.name}: {len(member.backups())} backups, {len(member.restores())} restores")
    stage.say("A loop that creates what is missing would restore old data now. The ledger knows that it ran.")
    stage.run("reconciler", "sync", "--once")


def _stay(stage: Stage) -> None:
    try:
        stage.say("It stays up until Ctrl-C. To try by hand:")
        stage.show(f"    export KUBECONFIG={stage.fleet.kubeconfig}   # contexts kurator-member1 and kurator-member2")
        stage.show(f"    cd {stage.clone}")
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        stage.show("")


def _populate(member: SimulatedMember) -> None:
    apply = member.api.apply
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    config = {"name": "prices", "namespace": NAMESPACE, "labels": {"tier": "config"}}
    apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": config, "data": {"currency": "EUR"}})
    labels = {"app": "web"}
    pod = {"containers": [{"name": "web", "image": "busybox"}]}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    web = {"name": "web", "namespace": NAMESPACE}
    apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": web, "spec": spec})


def _wait_until_gone(member: SimulatedMember) -> None:
    end = time.monotonic() + 20
    while member.backups() and time.monotonic() < end:
        time.sleep(0.05)
