"""Rules broken: what goes, what stays although others go or fail, and two names for one cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from reconciler import gather, reconcile
from reconciler.members import schedules as member_schedules
from reconciler.plan import asks, decide, drafts, questions, schedules, watch
from reconciler.plan.answers import UNASKED
from reconciler.plan.asks import Ask, scheduled
from reconciler.plan.changes import changes
from reconciler.records import Phase, path_of
from tests.soak.breaking import advance, broken, put


def _of_schedules(said: Ask, heard: Ask) -> AbstractContextManager[None]:
    """What the files say of a Schedule is taken for something else."""
    true = asks.ask_of_schedule

    def mistaken(*arguments: Any) -> Ask:
        told = true(*arguments)
        return heard if told is said else told

    return put(*((where, "ask_of_schedule", mistaken) for where in (schedules, decide, questions)))


# ------------------------------------------------------------ removal


@broken("removal: the record stays")
def _() -> AbstractContextManager[None]:
    true = vars(reconcile)["decide"]

    def forget(desired: Any, drafted: Any, *rest: Any) -> Any:
        decided = true(desired, drafted, *rest)
        gone = {each for each in decided if each not in desired.wanted and desired.complete}
        return {each: record for each, record in decided.items() if each not in gone}

    def drop(recorded: Any, wanted: Any, *rest: Any) -> Any:
        made = changes(recorded, wanted, *rest)
        gone: dict[str, Any] = {path_of(each): None for each in recorded.records if each not in wanted}
        return replace(made, files={**made.files, **gone}) if made else made

    return put((reconcile, "decide", forget), (reconcile, "changes", drop))


@broken("removal: what is under way is followed to its end")
def _() -> AbstractContextManager[None]:
    under_way = (Phase.STARTING, Phase.IN_PROGRESS)
    return advance(lambda run, after, identity, ask, answer: (
        run if ask is Ask.WITHDRAWN and run.phase in under_way else after))  # fmt: skip


@broken("removal: what is queued is held")
def _() -> AbstractContextManager[None]:
    return advance(lambda run, after, identity, ask, answer: run if ask is Ask.WITHDRAWN else after)


@broken("removal: an error in a file is none")
def _() -> AbstractContextManager[None]:
    true = vars(gather)["resolve"]

    def resolve(*arguments: Any) -> Any:
        return replace(true(*arguments), complete=True, refused={})

    return put((gather, "resolve", resolve))


@broken("removal: an error in a file is none for its Schedules")
def _() -> AbstractContextManager[None]:
    return _of_schedules(Ask.FROZEN, Ask.WITHDRAWN)


@broken("removal: the Schedules of a Backup go with its file")
def _() -> AbstractContextManager[None]:
    return _of_schedules(Ask.WITHDRAWN, Ask.FROZEN)


@broken("removal: of Schedules ours only")
def _() -> AbstractContextManager[None]:
    return put((schedules, "_ours", lambda seen, schedule: seen is not None))


@broken("removal: just the Schedule that was looked at")
def _() -> AbstractContextManager[None]:
    async def careless(velero: Any, action: Any) -> None:
        await velero.client.request("DELETE", velero.path("Schedule", action.name))

    return put((member_schedules, "delete", careless))


@broken("removal: Removing until its absence is proven")
def _() -> AbstractContextManager[None]:
    true = schedules._remove

    def at_once(schedule: Any, answer: Any) -> Any:
        return replace(true(schedule, answer), phase=Phase.REMOVED, reason="", message="")

    return put((schedules, "_remove", at_once))


@broken("removal: of many at one stroke only with a word")
def _() -> AbstractContextManager[None]:
    return put((reconcile, "refuse_mass_removal", lambda before, after: None))


@broken("removal: a Schedule is as its file says")
def _() -> AbstractContextManager[None]:
    return put((schedules, "_differs", lambda seen, spec: False))


# ------------------------------------------------------------ a cluster that is gone, a Backup that changes


@broken("gone: what is open on a cluster that is declared nowhere has failed")
def _() -> AbstractContextManager[None]:
    true = asks._place_of

    def wait(*arguments: Any) -> Ask:
        found = true(*arguments)
        return Ask.FROZEN if found is Ask.ABANDONED else found

    return put((asks, "_place_of", wait))


@broken("gone: it stays so when the cluster is declared again")
def _() -> AbstractContextManager[None]:
    return advance(lambda run, after, identity, ask, answer: (
        replace(run, phase=Phase.PENDING, reason="", message="") if run == after and run.reason == "Abandoned"
        and ask is Ask.ASKED else after))  # fmt: skip


@broken("gone: a Backup that was immediate gets no Schedules")
def _() -> AbstractContextManager[None]:
    true = drafts._asks_anew
    return put((drafts, "_asks_anew", lambda wanted, record: (
        true(wanted, record) or (scheduled(wanted) and bool(record.runs)))))  # fmt: skip


@broken("gone: the Schedules of a Backup that is to be immediate stay")
def _() -> AbstractContextManager[None]:
    return _of_schedules(Ask.SPEC_CHANGED, Ask.WITHDRAWN)


# ------------------------------------------------------------ one member, one file, one name


@broken("one member: that fails hides nothing of the others")
def _() -> AbstractContextManager[None]:
    true = vars(reconcile)["decide"]

    def all_or_none(desired: Any, drafted: Any, answers: Any, *rest: Any) -> Any:
        failing = any(answer.failure for answer in answers.values())
        return true(desired, drafted, dict.fromkeys(answers, UNASKED) if failing else answers, *rest)

    return put((reconcile, "decide", all_or_none))


@broken("one member: a file with an error stops nothing of the others")
def _() -> AbstractContextManager[None]:
    true = vars(gather)["unrecorded"]
    return put((gather, "unrecorded", lambda desired, records: true(desired, records) if desired.complete else ()))


@broken("one member: with two names is refused under both")
def _() -> AbstractContextManager[None]:
    return put((decide, "distrust", lambda answers: answers))


@broken("one member: is known by what it told before")
def _() -> AbstractContextManager[None]:
    return put((reconcile, "presumed_uids", lambda *arguments: {}))


@broken("one member: is asked again by its other name until a kubeconfig is put right")
def _() -> AbstractContextManager[None]:
    return put((questions, "suspects", lambda known, declared: ()))


@broken("one member: that a kubeconfig leads elsewhere tells nothing of it")
def _() -> AbstractContextManager[None]:
    return put(*((where, "believed", lambda part, answer: answer) for where in (decide, watch)))
