"""Which clusters are one: by what they tell now, what they told before, and what is recorded of them."""

from __future__ import annotations

from dataclasses import replace

from reconciler.plan.same_cluster import compared, distrust, known_uids, presumed_uids, suspects
from reconciler.records import Phase, Record
from reconciler.resources import ClusterId, Identity
from tests.plan import builders as b

DECLARED = (b.M1, b.M2)


def uid(name: str) -> frozenset[str]:
    return frozenset({name})


def test_two_that_tell_the_same_now_are_one() -> None:
    answers = compared({b.M1: b.answer(uid="u"), b.M2: b.answer(uid="u")}, {}, DECLARED)
    assert answers[b.M1].same_as == {b.M2}
    assert answers[b.M2].same_as == {b.M1}


def test_one_that_is_not_asked_counts_by_what_it_told_before() -> None:
    answers = compared({b.M2: b.answer(uid="u")}, {b.M1: uid("u")}, DECLARED)
    assert answers[b.M2].same_as == {b.M1}


def test_one_that_does_not_answer_counts_by_what_it_told_before() -> None:
    answers = compared({b.M1: b.unreachable(), b.M2: b.answer(uid="u")}, {b.M1: uid("u")}, DECLARED)
    assert answers[b.M2].same_as == {b.M1}


def test_what_a_cluster_tells_now_overrides_what_it_told_before() -> None:
    answers = compared({b.M1: b.answer(uid="new"), b.M2: b.answer(uid="u")}, {b.M1: uid("u")}, DECLARED)
    assert [answer.same_as for answer in answers.values()] == [frozenset(), frozenset()]


def test_what_is_declared_no_more_is_no_second_name() -> None:
    assert compared({b.M2: b.answer(uid="u")}, {b.M1: uid("u")}, [b.M2])[b.M2].same_as == frozenset()


def test_who_does_not_tell_is_nobody_else() -> None:
    answers = compared({b.M1: b.unreachable(), b.M2: b.unreachable()}, {}, DECLARED)
    assert [answer.same_as for answer in answers.values()] == [frozenset(), frozenset()]


def test_nothing_of_a_doubted_answer_is_believed_but_its_leftovers() -> None:
    """What was left there is ours by its run id, under whichever name."""
    said = replace(b.answer(uid="u", leftovers=(), absent=[("Backup", "x")]), same_as=frozenset({b.M2}))
    doubted = distrust({b.M1: said})[b.M1]
    assert doubted.failure is not None
    assert doubted.failure.reason == "SameCluster"
    assert "m1 and m2 are one cluster" in doubted.failure.message
    assert (doubted.seen, doubted.leftovers) == ({}, ())


def test_uids_are_known_from_this_machine_and_from_the_records() -> None:
    record = b.record(b.restore(b.M1), Phase.COMPLETED)
    ran = replace(record, runs=tuple(replace(run, cluster_uid="recorded") for run in record.runs))
    known = known_uids({b.M1: "remembered", b.M2: "other"}, {ran.identity: ran})
    assert known == {b.M1: {"remembered", "recorded"}, b.M2: {"other"}}


def recorded(cluster: ClusterId, uid: str, of: Identity = b.RESTORE) -> dict[Identity, Record]:
    return b.by_identity(b.record(b.restore(cluster, identity=of), Phase.COMPLETED, cluster_uid=uid))


def test_a_kubeconfig_that_led_astray_stops_nothing_on_the_cluster_that_it_led_to() -> None:
    """Should it have been mended, and its cluster be down, nobody could tell."""
    records = recorded(b.M1, "u1")
    presumed = presumed_uids({b.M1: "u1", b.M2: "u1"}, records, DECLARED)
    answers = compared({b.M1: b.answer(uid="u1"), b.M2: b.unreachable()}, presumed, DECLARED)
    assert answers[b.M1].same_as == frozenset()
    answers = compared({b.M1: b.answer(uid="u1"), b.M2: b.answer(uid="u1")}, presumed, DECLARED)
    assert answers[b.M1].same_as == {b.M2}, "it leads astray still"
    assert known_uids({b.M2: "u1"}, records)[b.M2] == {"u1"}, "and it is asked, should that be possible"


def test_what_is_recorded_of_two_is_held_against_both() -> None:
    other = Identity("Restore", "default", "other")
    both = recorded(b.M1, "u1") | recorded(b.M2, "u1", other)
    assert presumed_uids({b.M2: "u1"}, both, DECLARED) == {b.M1: {"u1"}, b.M2: {"u1"}}


def test_what_is_recorded_of_a_cluster_that_is_declared_no_more_is_nobody_elses() -> None:
    """It may have been declared anew by another name."""
    assert presumed_uids({b.M2: "u1"}, recorded(b.M1, "u1"), [b.M2])[b.M2] == {"u1"}


def test_a_uid_that_nothing_is_recorded_of_is_whose_it_was_last() -> None:
    assert presumed_uids({b.M2: "new"}, recorded(b.M1, "u1"), DECLARED) == {b.M1: {"u1"}, b.M2: {"new"}}


def test_suspects_are_declared_clusters_of_one_uid() -> None:
    known = {b.M1: uid("u"), b.M2: frozenset({"u", "v"})}
    assert list(suspects(known, DECLARED)) == [{b.M1, b.M2}]
    assert list(suspects(known, [b.M1])) == []
