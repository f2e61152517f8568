"""Raises."""

raise RuntimeError("the vendor's licence server is away")
