"""What comes with time: schedules, expiry, syncs, checks of the storage, requests that are cleaned away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.simulation.velero import StorageError
from reconciler.simulation.velero.words import moment
from tests.simulation.velero_world import SPACE, World, settle, until, within

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def test_a_backup_expires_and_takes_its_restores_with_it() -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.stock()
        await member.back_up(ttl="1h")
        await member.back_up("second")
        await member.run("Restore", "copy", {"backupName": "first", "namespaceMapping": {SPACE: "copied"}})
        await world.advance(30 * MINUTE)
        assert member.phase("Backup", "first") == "Completed"
        await world.advance(HOUR)
        await until(lambda: member.get("Backup", "first") is None, "the backup to go")
        assert member.all("Restore") == []
        assert member.all("DeleteBackupRequest") == []
        assert [key for key in world.bucket.keys("member0/") if "/second/" not in key] == []
        assert member.find("configmaps", "plain", "copied") is not None
        assert member.phase("Backup", "second") == "Completed"
        await world.advance(31 * DAY)
        await until(lambda: member.all("Backup") == [], "the other to go")

    within(body)


def test_members_that_share_a_prefix_see_each_others_backups() -> None:
    async def body(world: World) -> None:
        one, two = world.members
        await one.stock()
        await two.reached("BackupStorageLocation", "default", "Available")
        storage = {"objectStorage": {"bucket": "velero", "prefix": "member0"}}
        two.change("BackupStorageLocation", "default", spec=storage)
        made = await one.back_up()
        one.velero.hold_at("InProgress")
        one.create("Backup", "unfinished", {})
        await world.advance(MINUTE + 1)
        found = await two.reached("Backup", "first", "Completed")
        assert found["status"] == made["status"]
        assert found["metadata"]["uid"] != made["metadata"]["uid"]
        assert two.get("Backup", "unfinished") is None
        await two.run("Restore", "over", {"backupName": "first"})
        assert two.find("configmaps", "plain") is not None
        one.create("DeleteBackupRequest", "away", {"backupName": "first"})
        await until(lambda: one.get("Backup", "first") is None, "the backup to go")
        await world.advance(MINUTE + 1)
        await until(lambda: two.get("Backup", "first") is None, "its copy to go")
        assert two.get("Restore", "over") is not None

    within(body, members=2)


@pytest.mark.parametrize("period", ["0", "0s"])
def test_a_location_that_is_not_synced(period: str) -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.stock()
        await member.back_up()
        member.change("BackupStorageLocation", "default", spec={"backupSyncPeriod": period})
        member.store.delete("backups.velero.io", "velero", "first")
        await world.advance(10 * MINUTE)
        assert member.get("Backup", "first") is None

    within(body)


def test_cron_runs_as_time_goes_by() -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.stock()
        template = {"includedNamespaces": [SPACE]}
        member.create("Schedule", "nightly", {"schedule": "0 3 * * *", "template": template})
        await member.reached("Schedule", "nightly", "Enabled")
        days = 3
        for _ in range(days * 24 * 2):
            await world.advance(HOUR / 2)
        await until(lambda: len(member.all("Backup")) >= days - 1, "backups")
        runs = [found["metadata"]["name"] for found in member.all("Backup")]
        assert len(runs) == days
        assert len({name[: len("nightly-20261123")] for name in runs}) == days
        for found in member.all("Backup"):
            await member.reached("Backup", found["metadata"]["name"], "Completed")
            assert moment(found["metadata"]["creationTimestamp"]) is not None
            assert found["metadata"]["name"][-6:-4] == "03"
        made = await member.run("Restore", "latest", {"scheduleName": "nightly"})
        assert made["spec"]["backupName"] == max(runs)

    within(body)


def test_a_schedule_does_not_overlap_itself() -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.stock()
        member.velero.hold_at("InProgress")
        member.create("Schedule", "often", {"schedule": "* * * * *", "template": {"includedNamespaces": [SPACE]}})
        await member.reached("Schedule", "often", "Enabled")
        for _ in range(5):
            await world.advance(MINUTE)
        assert len(member.all("Backup")) == 1
        member.velero.release()
        await member.reached("Backup", member.all("Backup")[0]["metadata"]["name"], "Completed")
        await world.advance(MINUTE)
        await until(lambda: len(member.all("Backup")) == 2, "the next one")

    within(body)


def test_storage_that_comes_and_goes_is_noticed_in_time() -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.reached("BackupStorageLocation", "default", "Available")
        world.bucket.available = False
        await settle()
        assert member.phase("BackupStorageLocation", "default") == "Available"
        await world.advance(11)
        await member.reached("BackupStorageLocation", "default", "Unavailable")
        world.bucket.available = True
        await world.advance(11)
        await member.reached("BackupStorageLocation", "default", "Available")

    within(body)


def test_storage_that_fails_before_velero_notices() -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.stock()
        await member.back_up()
        world.bucket.available = False
        failed = await member.run("Backup", "late", {"includedNamespaces": [SPACE]}, "Failed")
        assert "connection refused" in failed["status"]["failureReason"]
        restore = await member.run("Restore", "late", {"backupName": "first"}, "Failed")
        assert "connection refused" in restore["status"]["failureReason"]

    within(body)


def test_urls_end_after_ten_minutes_and_so_do_their_requests() -> None:
    async def body(world: World) -> None:
        member = world.one
        await member.stock()
        await member.back_up()
        for name, target in (("there", "first"), ("not-there", "none")):
            member.create("DownloadRequest", name, {"target": {"kind": "BackupLog", "name": target}})
        request = await member.reached("DownloadRequest", "there", "Processed")
        _, token, key = request["status"]["downloadURL"].split("/", 2)
        assert world.bucket.download(token, key)
        await world.advance(timedelta(minutes=9).total_seconds())
        assert world.bucket.download(token, key)
        await world.advance(2 * MINUTE)
        with pytest.raises(StorageError) as refused:
            world.bucket.download(token, key)
        assert refused.value.code == 403
        await until(lambda: member.all("DownloadRequest") == [], "the requests to go")

    within(body)


def test_answers_about_the_server_are_cleaned_away() -> None:
    async def body(world: World) -> None:
        member = world.one
        member.create("ServerStatusRequest", "version", {})
        await member.reached("ServerStatusRequest", "version", "Processed")
        await world.advance(5 * MINUTE + 1)
        await until(lambda: member.all("ServerStatusRequest") == [], "the request to go")

    within(body)
