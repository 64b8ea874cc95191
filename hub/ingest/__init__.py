"""MQTT to decoded events to one transaction to an acknowledgement."""
