"""Must never be imported."""

raise AssertionError("the code of a plugin without what it needs was run")
