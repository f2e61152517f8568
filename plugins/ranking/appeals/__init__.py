"""Appeals: who was given a deduction says why it is wrong, and the street decides."""
