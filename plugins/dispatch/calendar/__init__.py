"""When people are on duty, and how working time is counted."""
