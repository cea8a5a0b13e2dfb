"""What the chart's NetworkPolicy lets in and out, as README promises it."""

from __future__ import annotations

import pytest

from tests.deploy.chart import EVERYTHING, MINIMUM, WITH_MONITOR, container, of_kind, render

ALL = {**EVERYTHING, **WITH_MONITOR}


@pytest.mark.real
def test_the_network_policy_lets_in_the_port_and_lets_out_what_is_promised() -> None:
    """DNS, and TCP 443, 6443 and 22 to anywhere; who may reach the port is everybody until it is said."""
    objects = render()
    (policy,), (deployment,) = of_kind(objects, "NetworkPolicy"), of_kind(objects, "Deployment")
    assert policy["spec"] == {
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "reconciler", "app.kubernetes.io/instance": "fleet"}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"ports": [{"port": "http", "protocol": "TCP"}]}],
        "egress": [
            {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
            {"ports": [{"port": port, "protocol": "TCP"} for port in (443, 6443, 22)]},
        ],
    }
    assert [port["name"] for port in container(deployment)["ports"]] == ["http"], "it is let in by its name"


@pytest.mark.real
def test_the_network_policy_has_the_peers_and_ports_that_are_named() -> None:
    objects = render(ALL)
    (policy,), named = of_kind(objects, "NetworkPolicy"), EVERYTHING["networkPolicy"]
    selected = policy["spec"]["podSelector"]["matchLabels"].items()
    for deployment in of_kind(objects, "Deployment"):
        assert selected <= deployment["spec"]["template"]["metadata"]["labels"].items(), "of every shard"
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert policy["spec"]["ingress"] == [{"ports": [{"port": "http", "protocol": "TCP"}], "from": named["from"]}]
    dns, *others = policy["spec"]["egress"]
    assert {(port["port"], port["protocol"]) for port in dns["ports"]} == {(53, "UDP"), (53, "TCP")}
    assert others == [{"ports": [{"port": port, "protocol": "TCP"} for port in (443, 9000)]}, *named["extraEgress"]]


@pytest.mark.real
def test_without_the_network_policy_there_is_none() -> None:
    assert of_kind(render({**MINIMUM, "networkPolicy": {"enabled": False}}), "NetworkPolicy") == []
