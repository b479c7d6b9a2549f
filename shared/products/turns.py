"""Whom a product is judged with in one turn, and who is left for the next."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.products import pairs

# As they are now; these are read.
MAX_OTHERS: Final = 16
# Of those, how many a person may have confirmed: a group of many must not keep new ones out.
MAX_CONFIRMED: Final = 10

Waited = Sequence[str] | None
"""Those whom an earlier turn left; None after a write, where there was none yet."""


def before(waited: Waited, owed: Mapping[str, Any] | None) -> Waited:
    """Who waits for this turn: those whom the caller knows and a debt that is `owed` names.

    All (None), where the caller says so or the debt is of a write that nobody was judged after.
    """
    if waited is None or owed is None:
        return waited
    named = owed.get("waiting")
    return None if named is None else list(dict.fromkeys([*waited, *named]))


def turn(
    candidates: Mapping[str, int], state: pairs.State, waited: Waited
) -> tuple[list[str], list[str]]:
    """Whom to judge now, and whom in the turns to come, so that no pair tells of what was before.

    After a write, where nobody has `waited` yet (None), all partners are to be judged; then those
    who waited, so that these become fewer.
    """
    confirmed = {other for other, same in state.decided.items() if same}
    refused = state.decided.keys() - confirmed
    known = (state.partners.keys() | confirmed) - refused
    first = [other for other in waited or () if other in known]
    chosen = list(dict.fromkeys([*first, *choose(candidates, state)]))[:MAX_OTHERS]
    due = known if waited is None else first
    return chosen, sorted(set(due) - set(chosen))


def choose(candidates: Mapping[str, int], state: pairs.State) -> list[str]:
    """Whom to judge: what a person confirmed, then the surest; none that a person refused.

    Candidates go before partners, whose confidence is that of the last time.
    """
    confirmed = [other for other, same in state.decided.items() if same]
    # Those without a pair yet before those that have theirs.
    first = sorted(confirmed, key=lambda o: (o in state.marks, o))[:MAX_CONFIRMED]
    sure = {**state.partners, **candidates}
    open_to = (other for other in sure if other not in state.decided)
    return (first + sorted(open_to, key=lambda o: (o not in candidates, -sure[o], o)))[:MAX_OTHERS]
