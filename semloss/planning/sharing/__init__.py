"""Bandwidth and power among users with different tasks."""
