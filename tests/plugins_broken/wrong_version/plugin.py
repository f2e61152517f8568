"""Must never be imported."""

raise AssertionError("the code of a plugin that does not fit was run")
