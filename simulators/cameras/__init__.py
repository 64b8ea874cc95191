"""An RTSP camera from a clip or a drawn scene."""
