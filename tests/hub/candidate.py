"""A process that wants to lead: `python -m tests.hub.candidate KUBECONFIG NAMESPACE LEASE IDENTITY SECONDS`.

Prints a line when it first sees that another leads, whenever it leads or leads no more, and what it finds when it slept
without wanting to.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

from reconciler.hub import Hub, Leadership

LOOK_SECONDS = 0.02
SLEPT_SECONDS = 1.0


async def main(kubeconfig: str, namespace: str, lease: str, identity: str, seconds: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    hub = Hub(Path(kubeconfig))
    try:
        async with Leadership(hub, namespace, lease, identity, int(seconds)) as leadership:
            before, last, follows = False, time.monotonic(), False
            while not stop.is_set():
                now, leading = time.monotonic(), leadership.leading
                if now - last > SLEPT_SECONDS:
                    print("woke and leads" if leading else "woke", flush=True)
                if leadership.holder not in ("", identity) and not follows:
                    follows = True
                    print("follows", leadership.holder, flush=True)
                if leading != before:
                    print("leads" if leading else "lost", flush=True)
                before, last = leading, now
                await asyncio.sleep(LOOK_SECONDS)
    finally:
        await hub.close()
    print("ended", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
