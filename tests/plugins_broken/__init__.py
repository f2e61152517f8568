"""Plugins that must be refused, each for its own reason, and `sound`, which must work beside them all."""
