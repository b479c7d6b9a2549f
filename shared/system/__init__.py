"""The state of the system, its audit trail and its documentation."""
