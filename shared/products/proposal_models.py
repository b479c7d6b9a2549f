"""A proposal: what was found of one product and waits for a decision, or has had one."""

from datetime import datetime
from typing import Any, Final, Literal

import msgspec

Kind = Literal["new", "change"]
Decision = Literal["approved", "rejected"]
# What a later find took back is kept without being shown, so that no version comes twice; what
# waited as its product was deleted is set aside until that is restored.
Stage = Literal["pending", "approved", "rejected", "withdrawn", "set_aside"]
RULES: Final = "auto-approval"

Fields = dict[str, Any]


class Proposal(msgspec.Struct, frozen=True):
    """A product's proposal as it is stored.

    `fields` holds values by a product's field: of a new offer all that were given, of a change
    those that differed when it was proposed. `replaced` holds what the product had in their place
    at the decision, `refused` the values of a change that were last rejected.
    """

    id: str
    kind: Kind
    status: Stage
    retailer: str
    category: str
    source: str
    fields: Fields
    reason: str | None
    proposed_at: datetime
    version: int = 1
    decided_at: datetime | None = None
    decided_by: str | None = None
    replaced: Fields | None = None
    refused: Fields = msgspec.field(default_factory=dict)

    @property
    def waits(self) -> bool:
        """Whether it is still to be decided."""
        return self.status == "pending"

    def turned(self, before: Stage, after: Stage) -> "Proposal":
        """The next version, at `after`, where it is at `before`; otherwise itself."""
        if self.status != before:
            return self
        return msgspec.structs.replace(self, status=after, version=self.version + 1)

    def refused_beside(self) -> Fields:
        """What was refused, but for the fields that are taken now."""
        return {name: v for name, v in self.refused.items() if name not in self.fields}

    def decided(
        self, status: Stage, by: str, now: datetime, replaced: Fields | None, reason: str | None
    ) -> "Proposal":
        """The next version, with the decision; what is refused of a change is remembered."""
        refused = self.refused
        if status == "approved":
            refused = self.refused_beside()
        elif self.kind == "change" and status == "rejected":
            refused = refused | self.fields
        return msgspec.structs.replace(
            self,
            status=status,
            reason=reason,
            decided_at=now,
            decided_by=by,
            replaced=replaced,
            refused=refused,
            version=self.version + 1,
        )


def to_document(proposal: Proposal) -> Fields:
    """The proposal's fields in Firestore."""
    fields = msgspec.structs.asdict(proposal)
    del fields["id"]
    return fields


def from_document(product_id: str, fields: Fields) -> Proposal:
    """The proposal in a document's fields."""
    return Proposal(id=product_id, **fields)
