"""Must never be imported."""

raise AssertionError("the code of a plugin without readable metadata was run")
