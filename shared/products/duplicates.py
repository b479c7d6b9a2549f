"""The list of duplicates: a page over the matched pairs that no one has decided, as groups.

A group is shown where its surest pair stands in the list, and nowhere else. What a page reads is
bounded whatever the catalogue's size: it ends early, with a cursor, once it has read enough.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.edge.pages import Order
from shared.products import catalogue, duplicate_groups, pairs, postings
from shared.products.duplicate_groups import Member, Pair
from shared.products.duplicate_schemas import (
    DuplicatesPage,
    DuplicatesQuery,
    GroupView,
    PairView,
)
from shared.products.models import Product, from_document
from shared.products.schemas import view

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot, Query

# A page that has read so many documents ends. Its last run looks at no more pairs than fit into
# what is left of them, though always at one: that may add some dozens.
MOST_READS: Final = 600
RUN_PAIRS: Final = 20
# Not every pair begins a group, so a small page looks at some more.
FEWEST_PAIRS: Final = 5


def read_page(wanted: DuplicatesQuery) -> DuplicatesPage:
    """One page, surest groups first; raises BadRequest for a foreign cursor."""
    threshold = max(pairs.lowest(), wanted.threshold or 0)
    looking = _Looking(threshold, pairs.facet(wanted.retailer, wanted.category))
    order = Order(("confidence",), wanted, "duplicates")
    query, groups = order.rest(_query(looking)), list[GroupView]()
    while True:
        run = min(RUN_PAIRS, max(FEWEST_PAIRS, wanted.limit - len(groups)))
        with firestore.errors_mapped():
            found = list(query.limit(run).stream(**firestore.limits()))
        looking.reads += len(found)
        done = looking.groups(found)
        for last, group in done:
            groups += [group] if group is not None else []
            if len(groups) == wanted.limit:
                return DuplicatesPage(groups, order.cursor_after(last), threshold)
        if len(done) == len(found) < run:
            return DuplicatesPage(groups, None, threshold)
        if len(done) < len(found) or looking.reads >= MOST_READS:
            return DuplicatesPage(groups, order.cursor_after(done[-1][0]), threshold)
        query = query.start_after(found[-1])


class _Looking:
    """What one page has looked up by now."""

    def __init__(self, threshold: int, facet: str) -> None:
        self.threshold, self.facet = threshold, facet
        self.reads = 0
        self._states: dict[str, pairs.State] = {}
        self._products: dict[str, Product] = {}
        self._members: dict[str, Member] = {}

    def groups(
        self, found: Sequence["DocumentSnapshot[Any]"]
    ) -> list[tuple["DocumentSnapshot[Any]", GroupView | None]]:
        """For each pair the group that begins with it, if one does.

        Of too many that is looked up for the first of them alone, for one at least.
        """
        seeds = {s.id: (str(s.get("products")[0]), str(s.get("products")[1])) for s in found}
        members = self._grow(seeds)
        members = {seed: members[seed] for seed in self._affordable(self._costs(members))}
        self._read_products({each for ids in members.values() for each in ids})
        shown = {}
        for seed, ids in members.items():
            group = self._group(seeds[seed], ids)
            first = duplicate_groups.surest_open(group, self._members, self._states, self.facet)
            if first == seed:
                shown[seed] = duplicate_groups.shown(group, self._states)
        stored = self._read_pairs(pair[1:] for linked in shown.values() for pair in linked)
        return [(s, self._view(s, shown, stored)) for s in found if s.id in members]

    def _group(self, seed: tuple[str, str], ids: list[str]) -> list[Pair]:
        """The matched pairs of the group that the pair is of, among what hangs together with it."""
        linked = duplicate_groups.linked(ids, self._members, self._states, self.threshold)
        known = {each: self._members[each] for each in ids if each in self._members}
        return duplicate_groups.group_of(seed, linked, known, self._states)

    def _grow(self, seeds: dict[str, tuple[str, str]]) -> dict[str, list[str]]:
        kept = list(seeds)
        while True:
            grown = {
                seed: duplicate_groups.grown(seeds[seed], self._states, self.threshold)
                for seed in kept
            }
            kept = self._affordable({seed: unknown for seed, (_, unknown) in grown.items()})
            missing = sorted(set().union(*(grown[seed][1] for seed in kept)))
            if not missing:
                return {seed: grown[seed][0] for seed in kept}
            for snapshot in self._read(map(pairs.state, missing)):
                self._states[snapshot.id] = pairs.state_of(snapshot.to_dict())

    def _costs(self, members: dict[str, list[str]]) -> dict[str, set[str]]:
        """The products that are yet to be read of each group, and pairs as many as it may show."""
        known = set(self._products)
        return {
            seed: set(ids) - known | set(_pair_ids(ids)[: duplicate_groups.MAX_PAIRS])
            for seed, ids in members.items()
        }

    def _affordable(self, wanted: Mapping[str, set[str]]) -> list[str]:
        """The first of the seeds whose documents the page may read, together; one at least."""
        kept, needed = list[str](), set[str]()
        for seed, documents in wanted.items():
            needed |= documents
            if kept and self.reads + len(needed) > MOST_READS:
                break
            kept.append(seed)
        return kept

    def _read_products(self, ids: set[str]) -> None:
        unknown = sorted(ids - set(self._products))
        for snapshot in self._read(map(catalogue.reference, unknown)):
            fields = snapshot.to_dict()
            if fields is not None and fields["listed"]:
                product = from_document(snapshot.id, fields)
                self._products[product.id] = product
                member = Member(postings.offer_of(product), fields.get("group_id"))
                self._members[product.id] = member

    def _read_pairs(self, both: Iterable[tuple[str, str]]) -> dict[str, dict[str, Any]]:
        found = self._read(pairs.reference(a, b) for a, b in both)
        return {s.id: s.to_dict() or {} for s in found if s.exists}

    def _read(self, references: Iterable["DocumentReference"]) -> list["DocumentSnapshot[Any]"]:
        wanted = list(references)
        if not wanted:
            return []
        self.reads += len(wanted)
        with firestore.errors_mapped():
            return list(firestore.client().get_all(wanted, **firestore.limits()))

    def _view(
        self,
        seed: "DocumentSnapshot[Any]",
        shown: dict[str, list[Pair]],
        stored: dict[str, dict[str, Any]],
    ) -> GroupView | None:
        if seed.id not in shown:
            return None
        linked = [(a, b) for _, a, b in shown[seed.id] if pairs.pair_id(a, b) in stored]
        if not linked:
            # Its pairs went between the query and the read.
            return None
        ids = dict.fromkeys(each for both in linked for each in both)
        return GroupView(
            id=seed.id,
            confidence=seed.get("confidence"),
            products=[view(self._products[each]) for each in ids],
            pairs=[_pair(a, b, stored[pairs.pair_id(a, b)]) for a, b in linked],
        )


def _pair_ids(ids: Iterable[str]) -> list[str]:
    return [pairs.pair_id(a, b) for a, b in combinations(sorted(ids), 2)]


def _pair(a: str, b: str, fields: dict[str, Any]) -> PairView:
    evidence = pairs.evidence_views(fields["evidence"])
    return PairView(a, b, fields["confidence"], evidence, fields.get("decision"))


def _query(looking: _Looking) -> "Query":
    from google.cloud.firestore import FieldFilter

    query: Query = firestore.client().collection(pairs.COLLECTION)  # type: ignore[assignment]
    query = query.where(filter=FieldFilter("facets", "array_contains", looking.facet))
    return query.where(filter=FieldFilter("confidence", ">=", looking.threshold))
