"""Settings of every test."""

from hypothesis import HealthCheck, settings

# A busy machine is no fault of the code: timings never decide a test.
settings.register_profile("anfang", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("anfang")
