"""Load a registry from a YAML file that an operator writes."""
