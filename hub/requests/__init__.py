"""Record what households and authorities ask for, and what was answered."""
