"""The MQTT session to the hub: publish, await the acknowledgement, commands."""
