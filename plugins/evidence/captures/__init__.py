"""What was seen: the originals of one observation, and the exhibits derived from them."""
