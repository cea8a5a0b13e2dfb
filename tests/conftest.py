"""One real fleet, and one simulated one, for all tests of a session that ask for it; and what the scenarios counted."""

import signal

import pytest

from tests.real.fixtures import pristine_fleet, real_fleet
from tests.simulation.fixtures import simulated_fleet, simulated_member

__all__ = ["pristine_fleet", "real_fleet", "simulated_fleet", "simulated_member"]


def pytest_configure() -> None:
    """A shell starts what it runs in the background deaf to Ctrl-C, and so would be what the tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How often `plan` was held against the `sync` after it (tests/scenarios/agreement.py), over all workers."""
    told = [dict(report.user_properties) for report in terminalreporter.stats.get("", []) if report.when == "teardown"]
    count = sum(properties.get("agreements", 0) for properties in told)
    if count:
        terminalreporter.write_line(f"plan agreed with {count} syncs")
