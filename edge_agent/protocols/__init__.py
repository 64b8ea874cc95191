"""Sans-IO codecs: bytes to typed readings and back."""
