"""The page of assessments."""
