"""The ledger: what events mean for a compound, and every point that was booked for it."""
