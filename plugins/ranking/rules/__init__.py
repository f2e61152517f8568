"""What a compound is given points for: rules as data, each change a new edition."""
