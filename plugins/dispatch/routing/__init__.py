"""Who an order goes to: rules as data, the last one that fits wins."""
