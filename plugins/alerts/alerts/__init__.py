"""The alerts themselves: their way from seen to closed, the list, and what staff do with them."""
