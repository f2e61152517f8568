"""By when each kind of order is to be handled, and with what proof."""
