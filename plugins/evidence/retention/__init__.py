"""How long evidence is kept, what holds it back, and how it goes for good."""
