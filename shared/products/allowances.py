"""What may be read for one product: a transaction that is run again reads again, and pays again."""

from typing import Final

import msgspec

from shared.errors import Conflict

# For all that follows a product's write, however often it is hindered. Of the sixty that it may
# cost, two are for the settings and the model's name, which an instance reads once in a while.
MOST_READS: Final = 58


class Allowance(msgspec.Struct):
    """How many documents may yet be read."""

    left: int = MOST_READS

    def take(self, documents: int) -> None:
        """Takes what is about to be read; raises Conflict where that is more than is left."""
        if documents > self.left:
            raise Conflict("Others changed the same documents again and again.")
        self.left -= documents
