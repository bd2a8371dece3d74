"""Hypothesis profiles: ``ci`` draws the same examples every time, ``dev`` looks for new ones."""

import os

from hypothesis import HealthCheck, settings

# no deadline: on a loaded machine the first call of anything may take seconds
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=100,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("dev", deadline=None, max_examples=200)

# what CI runs is also what a plain `pytest` runs; HYPOTHESIS_PROFILE=dev goes exploring
settings.load_profile("ci" if os.environ.get("CI") else os.environ.get("HYPOTHESIS_PROFILE", "ci"))
