"""Benchmarks: each figure stands beside what limits it, measured in the same run."""
