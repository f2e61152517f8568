"""Exposures (监督曝光): reported, looked through, handled, answered, rated and shown."""
