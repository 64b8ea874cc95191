"""What the simulators raise towards whoever runs them: one line each, saying what, where and the mend."""


class SimulatorError(Exception):
    """Root of the simulators' errors."""


class ScenarioError(SimulatorError):
    """The author of a scenario: each line of the text is `file:line: key: what is wrong; mend`."""


class StartError(SimulatorError):
    """Whoever started the demo: a part did not come up. The text says which, and where its log is."""
