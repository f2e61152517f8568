"""Face comparison: off until an administrator switches it on for an area, with the basis that the law asks for.

It compares the faces of persons whose violation two people have confirmed, and no others. It finds cases that may be
about the same person, and never says who that is.
"""
