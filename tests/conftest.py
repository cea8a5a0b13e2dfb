"""One real fleet, and one simulated one, for all tests of a session that ask for it."""

from tests.real.fixtures import pristine_fleet, real_fleet
from tests.simulation.fixtures import simulated_fleet, simulated_member

__all__ = ["pristine_fleet", "real_fleet", "simulated_fleet", "simulated_member"]
