"""One real fleet for all tests of a session that ask for it."""

from tests.real.fixtures import pristine_fleet, real_fleet

__all__ = ["pristine_fleet", "real_fleet"]
