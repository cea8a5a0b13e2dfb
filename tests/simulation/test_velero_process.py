"""The simulated Velero as a process that is stopped, paused, cut off and held in a phase, and items that fail."""

from __future__ import annotations

import asyncio

import pytest

from tests.simulation.velero_world import SPACE, World, settle, within

COPY = {"backupName": "first", "namespaceMapping": {SPACE: "copied"}}
RUNNING = ["New", "InProgress", "Finalizing"]


@pytest.mark.parametrize("phase", [*RUNNING, "WaitingForPluginOperations"])
def test_a_restore_is_held_in_a_phase(phase: str) -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.stock()
        await member.back_up()
        member.velero.hold_at(phase)
        member.create("Restore", "copy", COPY)
        await member.reached("Restore", "copy", *(["", "New"] if phase == "New" else [phase]))
        await settle()
        assert member.phase("Restore", "copy") in ("", phase)
        assert (member.find("configmaps", "plain", "copied") is not None) is (phase not in ("New", "InProgress"))
        member.velero.release(phase)
        await member.reached("Restore", "copy", "Completed")

    within(body)


@pytest.mark.parametrize("phase", [*RUNNING, "Queued", "ReadyToStart", "WaitingForPluginOperations"])
def test_a_backup_is_held_in_a_phase(phase: str) -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.stock()
        member.velero.hold_at(phase)
        member.create("Backup", "first", {"includedNamespaces": [SPACE]})
        await member.reached("Backup", "first", *(["", "New"] if phase == "New" else [phase]))
        await settle()
        assert member.phase("Backup", "first") in ("", phase)
        member.velero.release()
        await member.reached("Backup", "first", "Completed")

    within(body)


def test_what_fails_in_part_is_held_in_a_phase_of_its_own() -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.stock()
        await member.back_up()
        member.velero.hold_at("FinalizingPartiallyFailed")
        member.velero.fail_item("ConfigMap", "copied", "plain", "no room")
        member.create("Restore", "copy", COPY)
        await member.reached("Restore", "copy", "FinalizingPartiallyFailed")
        member.velero.release()
        restore = await member.reached("Restore", "copy", "PartiallyFailed")
        assert restore["status"]["errors"] == 1
        results = member.file("restores/copy/restore-copy-results.gz")
        text = "error restoring configmaps/copied/plain: no room"
        assert results == {"errors": {"namespaces": {"copied": [text]}}, "warnings": {}}
        listed = member.file("restores/copy/restore-copy-resource-list.json.gz")
        assert listed["v1/ConfigMap"] == ["copied/plain(failed)"]
        member.velero.mend_items()
        await member.run("Restore", "again", COPY)

    within(body)


def test_one_restore_at_a_time_and_a_delete_waits_behind_it() -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.stock()
        await member.back_up()
        member.velero.hold_at("InProgress")
        member.create("Restore", "first", COPY)
        member.create("Restore", "second", COPY)
        await member.reached("Restore", "first", "InProgress")
        member.store.delete("restores.velero.io", "velero", "first")
        await settle()
        assert member.phase("Restore", "first") == "InProgress"
        assert member.phase("Restore", "second") == ""
        member.velero.release()
        await member.reached("Restore", "second", "Completed")
        assert member.get("Restore", "first") is None
        assert member.find("configmaps", "plain", "copied") is not None

    within(body)


def test_one_backup_at_a_time_in_the_order_of_the_queue() -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.stock()
        member.velero.hold_at("InProgress")
        for name in ("a", "b", "c"):
            member.create("Backup", name, {"includedNamespaces": [SPACE]})
        await member.reached("Backup", "a", "InProgress")
        await settle()
        queued = [(member.get("Backup", name) or {})["status"] for name in ("b", "c")]
        assert queued == [{"phase": "Queued", "queuePosition": 1}, {"phase": "Queued", "queuePosition": 2}]
        member.create("DeleteBackupRequest", "away", {"backupName": "a"})
        request = await member.reached("DeleteBackupRequest", "away", "Processed")
        assert request["status"]["errors"] == ["backup deletion failed: backup is still in progress"]
        member.velero.release()
        times = [(await member.reached("Backup", name, "Completed"))["status"]["startTimestamp"] for name in "abc"]
        assert times == sorted(times)

    within(body)


def test_stopped_in_the_middle() -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.stock()
        await member.back_up()
        member.velero.hold_at("InProgress")
        member.create("Restore", "copy", COPY)
        member.create("Backup", "second", {"includedNamespaces": [SPACE]})
        for kind, name in (("Restore", "copy"), ("Backup", "second")):
            await member.reached(kind, name, "InProgress")
        member.velero.stop()
        assert not member.velero.running
        member.velero.release()
        await settle()
        assert member.phase("Restore", "copy") == "InProgress"
        member.velero.start()
        for kind, name in (("Restore", "copy"), ("Backup", "second")):
            status = (await member.reached(kind, name, "Failed"))["status"]
            assert "during the server starting" in status["failureReason"]
        assert member.find("configmaps", "plain", "copied") is None
        await member.back_up("third")

    within(body)


@pytest.mark.parametrize("way", ["pause", "disconnect"])
def test_paused_or_cut_off_it_goes_on_later(way: str) -> None:
    async def body(world: World) -> None:
        member, velero = world.one, world.one.velero
        await member.stock()
        velero.pause() if way == "pause" else velero.disconnect()
        member.create("Backup", "first", {"includedNamespaces": [SPACE]})
        await settle()
        assert velero.running
        assert member.phase("Backup", "first") == ""
        velero.resume() if way == "pause" else velero.reconnect()
        await member.reached("Backup", "first", "Completed")

    within(body)


def test_a_phase_takes_its_time() -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.stock()
        await member.back_up()
        member.velero.step_seconds = 3600
        member.create("Restore", "copy", COPY)
        await member.reached("Restore", "copy", "InProgress")
        await settle()
        assert member.phase("Restore", "copy") == "InProgress"
        while member.phase("Restore", "copy") != "Completed":
            await world.advance(3600)
        status = (member.get("Restore", "copy") or {})["status"]
        assert status["completionTimestamp"] > status["startTimestamp"]

    within(body)


def test_a_namespace_that_does_not_go_away_is_waited_for() -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.stock()
        await member.back_up()
        member.put("configmaps", "stays", metadata={"finalizers": ["example.com/kept"]})
        member.store.delete("namespaces", "", SPACE)
        member.create("Restore", "back", {"backupName": "first"})
        await member.reached("Restore", "back", "InProgress")
        while member.phase("Restore", "back") == "InProgress":
            await world.advance(1)
        await member.reached("Restore", "back", "PartiallyFailed")
        errors = member.file("restores/back/restore-back-results.gz")["errors"]["velero"]
        assert errors[0].startswith(f"timed out waiting for terminating namespace {SPACE} to disappear")

    within(body)


def test_many_can_be_started_and_stopped() -> None:
    async def body(world: World) -> None:
        for member in world.members:
            await member.reached("BackupStorageLocation", "default", "Available")
            member.velero.stop()
        await settle()
        assert len(asyncio.all_tasks()) == 1

    within(body, members=20)
