"""Define what every part of the hub speaks of: entities, observations, events, times and texts. No I/O."""
