"""What the wire package raises."""


class ContractError(Exception):
    """A message breaks the wire contract; the sender must mend it.

    `reason` is one line for a person. `epoch` and `seq` say where, as far as the message could be read.
    """

    def __init__(self, reason: str, *, epoch: str = "", seq: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.epoch = epoch
        self.seq = seq
