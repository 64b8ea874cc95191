"""The one error of this package."""


class ProfileError(Exception):
    """The author of a profile: each line of the text is `file:line: key: what is wrong; mend`."""
