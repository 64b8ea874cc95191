"""People living their days, and the ground truth of who was where."""
