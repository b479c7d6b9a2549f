"""Trigger: a user's day was noted."""

from shared.edge import DocumentChange, trigger


@trigger(__name__, document="user_activity/{user_day}")
def on_user_active(change: DocumentChange) -> None:
    """Has the insights counted anew, at a user's first sign of a day only."""
    if change.before is None:
        from shared.users import insights

        insights.request_refresh()
