"""What can be seen, as data: the catalogue of kinds, vendors' codes for them, and when nothing is to be raised."""
