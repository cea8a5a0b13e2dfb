"""`python -m tests.real`: the real fleet for people, in the foreground until Ctrl-C. Called by `make fleet`."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real.build import BuildError
from tests.real.fleet import FleetError, RealFleet
from tests.real.processes import ProcessDied, WaitTimeout


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.real", description="Start the real fleet; Ctrl-C ends it.")
    parser.add_argument("--directory", type=Path, help="where to put its files (default: a folder removed at the end)")
    arguments = parser.parse_args()
    # Both alike, and SIGINT even where a shell that started us in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with chosen_directory(arguments.directory) as directory, RealFleet(directory, say=say) as fleet:
            describe(fleet)
            watch(fleet)
    except KeyboardInterrupt:
        say("\nthe fleet has ended")
        return 0
    except (BuildError, FleetError, ProcessDied, WaitTimeout) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


@contextmanager
def chosen_directory(chosen: Path | None) -> Iterator[Path]:
    if chosen is None:
        with tempfile.TemporaryDirectory(prefix="fleet-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    else:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen


def describe(fleet: RealFleet) -> None:
    names = " and ".join(member.name for member in fleet.members)
    say(
        f"""
The fleet runs. For kubectl, velero and the reconciler, with contexts {names}:

    export KUBECONFIG={fleet.kubeconfig}

The same as mounted Secrets, DIR/<secret>/<key>, e.g. {fleet.members[0].name}/value:

    --kubeconfig-dir {fleet.kubeconfig_directory}

Logs are in {fleet.directory / "logs"} and members/<name>/logs beside it. Ctrl-C ends the fleet."""
    )


def watch(fleet: RealFleet) -> None:
    """Stay until someone ends us; a process that dies by itself ends the fleet with its log."""
    while True:
        for process in fleet.processes:
            process.check()
        time.sleep(1)


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
