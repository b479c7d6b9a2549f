"""What may be read for one product: a transaction that is run again reads again, and pays again."""

import msgspec

from shared.errors import Conflict


class Allowance(msgspec.Struct):
    """How many documents may yet be read."""

    left: int

    def take(self, documents: int) -> None:
        """Takes what is about to be read; raises Conflict where that is more than is left."""
        if documents > self.left:
            raise Conflict("Others changed the same documents again and again.")
        self.left -= documents
