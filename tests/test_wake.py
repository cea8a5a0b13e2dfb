"""What ends the daemon's sleep, and what does not."""

from __future__ import annotations

import asyncio
import os
import resource
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

from reconciler.wake import Reason, Wake, jittered, watch_refs


def awake(story: Callable[[Wake], Awaitable[None]]) -> None:
    async def run() -> None:
        await story(Wake())

    asyncio.run(run())


def test_reasons_are_collected_while_nobody_waits() -> None:
    async def story(wake: Wake) -> None:
        for reason in (Reason.REPOSITORY, Reason.MEMBERS, Reason.MEMBERS):
            wake.stir(reason)
        await asyncio.sleep(0)
        assert await wake.wait(60) == Reason.REPOSITORY | Reason.MEMBERS
        assert await wake.wait(0.01) == Reason.TIME

    awake(story)


def test_a_thread_may_stir() -> None:
    async def story(wake: Wake) -> None:
        threading.Timer(0.05, wake.stir, (Reason.REPOSITORY,)).start()
        assert await wake.wait(60) == Reason.REPOSITORY

    awake(story)


def test_a_moved_ref_stirs_and_a_lock_does_not(tmp_path: Path) -> None:
    async def story(wake: Wake) -> None:
        watching = asyncio.create_task(watch_refs([tmp_path, tmp_path / "not-there"], wake, print, 1))
        await asyncio.sleep(0.5)
        (tmp_path / "main.lock").write_text("1")
        assert await wake.wait(0.5) == Reason.TIME
        (tmp_path / "main.lock").rename(tmp_path / "main")
        assert await wake.wait(10) == Reason.REPOSITORY
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    awake(story)


def test_a_watch_that_the_system_refuses_is_said_once_and_begun_again(tmp_path: Path) -> None:
    """Here there is no room for one more open file; it may as well be the number of watches."""

    async def story(wake: Wake) -> None:
        told: list[str] = []
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            watching = asyncio.create_task(watch_refs([tmp_path], wake, told.append, 0.2))
            await asyncio.sleep(1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        (why,) = told
        assert "Too many open files" in why
        await asyncio.sleep(1)
        (tmp_path / "main").write_text("1")
        assert await wake.wait(10) == Reason.REPOSITORY
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    awake(story)


def test_jitter_stays_within_a_tenth() -> None:
    found = {jittered(30.0) for _ in range(200)}
    assert len(found) > 100
    assert all(27.0 <= seconds <= 33.0 for seconds in found)
