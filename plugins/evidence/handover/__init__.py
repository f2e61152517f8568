"""Hand-over: a case goes to enforcement as one file that anyone can verify."""
