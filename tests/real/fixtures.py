"""The fleet as a pytest fixture: started once a session, when the first test asks for it.

Imported by the conftest of the tests.
"""

import shutil
from collections.abc import Iterator

import pytest

from tests.real.fleet import RealFleet


@pytest.fixture(scope="session")
def real_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealFleet]:
    """As the last test left it: a test that needs to know its state takes `pristine_fleet`."""
    with RealFleet(tmp_path_factory.mktemp("real-fleet")) as fleet:
        yield fleet
    shutil.rmtree(fleet.directory / "etcd")  # pytest keeps the rest: logs, audit logs, backups


@pytest.fixture
def pristine_fleet(real_fleet: RealFleet) -> RealFleet:
    """Cleaned before the test and not after it, so that what a failed test leaves can be looked into."""
    real_fleet.reset()
    return real_fleet
