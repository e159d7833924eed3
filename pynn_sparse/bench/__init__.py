"""Benchmarks: published networks on this backend and on other simulators, in the same run."""
