"""Open311 GeoReport v2: the same reports for programs of others."""
