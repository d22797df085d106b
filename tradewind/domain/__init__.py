"""The merchant's business as pure, frozen models and functions: no I/O, no clock, no randomness."""
