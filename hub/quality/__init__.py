"""How good alerts and belief are: recorded events go through the real hub faster than time, and are held to a truth."""
