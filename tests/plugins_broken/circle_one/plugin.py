"""Waits for the other."""
