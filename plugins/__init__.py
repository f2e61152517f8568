"""The modules of the product, each a plugin."""
