"""Work orders: from the report to the closed order."""
