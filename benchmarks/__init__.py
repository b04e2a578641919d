"""Figures that the work is held to. `make bench` runs them all; `python -m benchmarks parse` runs one."""
