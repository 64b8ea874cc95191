"""Define what every part of the hub speaks of: entities, observations, events, times, texts. No I/O."""
