"""From users' days to the insights: the figures, what closes, who is forgotten, and the cost."""

import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from local.accounts import ADMIN
from shared.clients import tasks
from shared.edge import activity
from shared.errors import Conflict
from shared.products import recounts
from shared.users import activity_weeks, insights, profiles
from shared.users.activity_figures import ABSENT, Member, monday_of, weeks_until
from tests import sessions
from tests.integration.edge.instance import codebase, instance, served
from tests.integration.products.support import FAR_FUTURE, READS, Json, Shop, good

USERS, GROWTH = "/api/insights/users", "/api/insights/growth"
BATCH = 400
# The Wednesday after the only week 53 for years.
NOON = datetime(2027, 1, 6, 12, tzinfo=UTC)
MOST_BYTES = 100_000


def fill(shop: Shop, documents: Mapping[str, Json]) -> None:
    """Writes documents by their paths."""
    paths = list(documents)
    for at in range(0, len(paths), BATCH):
        batch = shop.database.batch()
        for path in paths[at : at + BATCH]:
            batch.set(shop.database.document(path), documents[path], merge=True)
        batch.commit()


def remove(shop: Shop, collection: str) -> None:
    found = shop.database.collection(collection).select([]).get()
    for at in range(0, len(found), BATCH):
        batch = shop.database.batch()
        for snapshot in found[at : at + BATCH]:
            batch.delete(snapshot.reference)
        batch.commit()


def profile(uid: str, joined: datetime) -> Json:
    return {"email": f"{uid}@shopple.test", "name": uid.title(), "created_at": joined}


def days_of(uid: str, *days: str) -> dict[str, Json]:
    return {f"{activity.COLLECTION}/{day}_{uid}": {"uid": uid, "day": day} for day in days}


def changes(uid: str, moment: str, count: int) -> dict[str, Json]:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    entry = {"actor": uid, "at": at, "action": "product.updated"}
    return {f"audit_logs/{uid}-{moment}-{number}": entry for number in range(count)}


def recount(shop: Shop, now: datetime) -> None:
    """A recount at that moment."""
    with instance(shop.stack.environment()):
        insights.refresh(clock=lambda: now)


def recount_by_task(shop: Shop) -> int:
    """The reads of a recount as Cloud Tasks has it done."""
    answer = shop.call_private("refresh_insights", {"due_at": FAR_FUTURE})
    assert answer.status_code == 204, answer.text
    return int(answer.headers[READS])


@pytest.fixture
def quiet(shop: Shop) -> Iterator[Shop]:
    """Nobody was ever active, and what is written starts nothing."""
    shop.stack.control.disturb_events(drop=True)
    for collection in (activity.COLLECTION, activity_weeks.COLLECTION, profiles.COLLECTION):
        remove(shop, collection)
    shop.database.document("statistics/insights").delete()
    yield shop
    shop.stack.control.reset_events()


@pytest.fixture
def new_year(quiet: Shop) -> Shop:
    """Three users and one without a profile, around the end of 2026."""
    joined = {"ann": (2026, 12, 21), "bob": (2026, 12, 27), "eve": (2026, 12, 30)}
    for uid, (year, month, day) in joined.items():
        moment = datetime(year, month, day, 23, 59, tzinfo=UTC)
        fill(quiet, {f"users/{uid}": profile(uid, moment)})
    fill(
        quiet,
        {
            **days_of("ann", "2026-12-21", "2026-12-29", "2027-01-04", "2027-01-06"),
            **days_of("bob", "2026-12-27"),
            **days_of("eve", "2026-12-30", "2027-01-05"),
            **days_of("ghost", "2027-01-05"),
            **changes("ann", "2026-12-29T00:00", 2),
            **changes("ann", "2027-01-06T23:59:59", 3),
            **changes("ann", "2027-01-07T00:00", 5),
            **changes("eve", "2027-01-05T12:00", 1),
        },
    )
    recount(quiet, NOON)
    return quiet


def test_before_the_first_recount_nothing_is_known(quiet: Shop) -> None:
    assert quiet.get(USERS) == {"as_of": None, "days": [], "users": []}
    assert quiet.get(GROWTH) == {"as_of": None, "total_users": 0, "weeks": []}


def test_growth_follows_each_cohort_over_the_end_of_the_year(new_year: Shop) -> None:
    told = new_year.get(GROWTH, weeks=3)
    assert told["as_of"] == "2027-01-06T12:00:00.000000Z"
    assert told["total_users"] == 3
    columns = ("week", "starts_on", "signups", "active", "retention_percent")
    assert [[week[column] for column in columns] for week in told["weeks"]] == [
        ["2026-W52", "2026-12-21", 2, 2, [100.0, 50.0, 50.0]],
        ["2026-W53", "2026-12-28", 1, 2, [100.0, 100.0]],
        ["2027-W01", "2027-01-04", 0, 3, []],
    ]
    assert len(new_year.get(GROWTH)["weeks"]) == 12
    year = new_year.get(GROWTH, weeks=52)["weeks"]
    assert [week["week"] for week in year] == weeks_until(NOON.date(), 52)


def test_users_are_ranked_by_the_days_asked_for(new_year: Shop) -> None:
    told = new_year.get(USERS, days=7)
    assert [day["date"] for day in told["days"]] == [
        str(date(2026, 12, 31) + timedelta(days=at)) for at in range(7)
    ]
    figures = [(day["active"], day["actions"]) for day in told["days"]]
    assert figures == [(0, 0), (0, 0), (0, 0), (0, 0), (1, 0), (2, 1), (1, 3)]
    assert told["users"] == [
        {
            "uid": "ann",
            "email": "ann@shopple.test",
            "name": "Ann",
            "active_days": 2,
            "actions": 3,
            "last_active_on": "2027-01-06",
        },
        {
            "uid": "eve",
            "email": "eve@shopple.test",
            "name": "Eve",
            "active_days": 1,
            "actions": 1,
            "last_active_on": "2027-01-05",
        },
    ]
    ranked = new_year.get(USERS, days=90)["users"]
    counts = [(user["uid"], user["active_days"], user["actions"]) for user in ranked]
    assert counts == [("ann", 4, 5), ("eve", 2, 1), ("bob", 1, 0)]


def test_a_closed_day_needs_no_documents_any_more(new_year: Shop) -> None:
    before = new_year.get(GROWTH, weeks=3)["weeks"]
    remove(new_year, activity.COLLECTION)
    new_year.database.document("users/bob").delete()
    fill(new_year, days_of("ann", "2027-01-06", "2027-01-08"))
    for _ in range(2):
        recount(new_year, NOON + timedelta(days=2))
    told = new_year.get(GROWTH, weeks=3)
    # Who is gone has signed up all the same; he is named no more.
    assert told["weeks"] == before
    assert told["total_users"] == 2
    ranked = new_year.get(USERS, days=90)["users"]
    assert [(user["uid"], user["active_days"]) for user in ranked] == [("ann", 5), ("eve", 2)]
    recount(new_year, NOON + timedelta(days=7))
    weeks = new_year.get(GROWTH, weeks=4)["weeks"]
    assert [week["retention_percent"] for week in weeks[:2]] == [
        [100.0, 50.0, 50.0, 0.0],
        [100.0, 100.0, 0.0],
    ]


def test_a_year_later_the_figures_of_closed_weeks_are_still_known(new_year: Shop) -> None:
    recount(new_year, NOON + timedelta(weeks=50))
    weeks = {each["week"]: each for each in new_year.get(GROWTH, weeks=52)["weeks"]}
    assert weeks["2026-W53"]["active"] == 2
    assert weeks["2026-W53"]["retention_percent"] == [100.0, 100.0] + [0.0] * 50
    assert new_year.get(USERS, days=90)["users"] == []


def test_who_is_forgotten_is_named_nowhere(new_year: Shop) -> None:
    with instance(new_year.stack.environment()):
        insights.forget("eve", lambda: NOON)
        weeks = activity_weeks.read("2026-W50").users
    days = new_year.documents(activity.COLLECTION).values()
    assert {each["uid"] for each in days} == {"ann", "bob", "ghost"}
    assert all("eve" not in users for users in weeks.values())
    assert "ann" in weeks["2027-W01"]
    recount(new_year, NOON)
    assert [user["uid"] for user in new_year.get(USERS, days=90)["users"]] == ["ann", "bob"]


def test_a_recount_that_began_later_is_not_done_again(new_year: Shop) -> None:
    new_year.call_private("refresh_insights", {"due_at": 1.0}).raise_for_status()
    assert new_year.get(USERS)["as_of"] == "2027-01-06T12:00:00.000000Z"


def test_what_somebody_changes_is_counted(quiet: Shop) -> None:
    session = sessions.log_in(quiet.stack)
    uid = session.user["uid"]
    now = datetime.now(UTC)
    fill(quiet, {f"users/{uid}": profile("known", now), **days_of(uid, str(now.date()))})
    recount_by_task(quiet)

    def actions() -> int:
        ranked = quiet.get(USERS, days=1)["users"]
        return next(int(user["actions"]) for user in ranked if user["uid"] == uid)

    before = actions()
    with sessions.new_client(quiet.stack, session) as http:
        good(http.post("/api/notes", json={"title": f"Of {ADMIN.name}"}))
    recount_by_task(quiet)
    assert actions() == before + 1


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (USERS, {"days": 0}),
        (USERS, {"days": 91}),
        (USERS, {"weeks": 1}),
        (GROWTH, {"weeks": 0}),
        (GROWTH, {"weeks": 53}),
        (GROWTH, {"weeks": "x"}),
    ],
)
def test_other_times_are_refused(shop: Shop, path: str, query: dict[str, object]) -> None:
    answer = shop.http.get(path, params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == list(query)


def test_every_night_a_recount_is_asked_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    # Others ask for recounts too; a name of its own tells this one from theirs.
    name = f"drill{secrets.token_hex(5)}"
    asked = recounts.Recounts("refresh_insights", name, insights.WINDOW_SECONDS)
    monkeypatch.setattr(insights, "_recounts", asked)
    token = shop.stack.control.invoker_token()
    with served(shop.stack, "recount_insights", codebase("users")) as http:
        answer = http.post("/", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 204
        queued = tasks.client().list_tasks(parent=tasks.queue_path(recounts.QUEUE))
        (due,) = [each for each in queued if f"/{name}-" in each.name]
        assert due.http_request.url.endswith("/refresh_insights")
        tasks.client().delete_task(name=due.name)


@pytest.mark.parametrize("size", [50, 2000])
def test_reads_are_bounded_at_both_sizes(quiet: Shop, size: int) -> None:
    now = datetime.now(UTC)
    crowd = [f"user{number:024}" for number in range(size)]
    fill(quiet, {f"users/{uid}": profile(uid, now - timedelta(weeks=11)) for uid in crowd})
    weeks = weeks_until(now.date(), 12)
    for week in weeks[:-1]:
        fill(quiet, {f"{activity_weeks.COLLECTION}/{week}-00": whole_week(weeks[0], week, crowd)})
    fill(quiet, {"statistics/insights": {"open_from": str(now.date())}})
    first = recount_by_task(quiet)
    today: dict[str, Json] = {}
    for uid in crowd:
        today |= days_of(uid, str(now.date()))
    fill(quiet, today)
    later = recount_by_task(quiet)
    costs = {path: int(quiet.http.get(path).headers[READS]) for path in (USERS, GROWTH)}
    print(f"{size} users: reads {costs}, recounts {first} and {later}")  # noqa: T201
    assert max(costs.values()) <= 2
    # A week each, whoever may be listed, and each active user's day and changes.
    assert later <= 20 + insights.MOST_LISTED + 2 * size
    told = quiet.get(GROWTH)
    assert told["weeks"][0]["retention_percent"] == [100.0] * 12
    assert (told["weeks"][-1]["active"], told["total_users"]) == (size, size)
    assert len(quiet.get(USERS)["users"]) == 50
    stored = quiet.documents(activity_weeks.COLLECTION).values()
    sizes = [len(fields["users"]) for fields in stored]
    sizes.append(len(quiet.database.document("statistics/insights").get().get("figures")))
    assert max(sizes) <= MOST_BYTES


def whole_week(joined: str, week: str, crowd: list[str]) -> Json:
    """A week in which everybody was active on some days."""
    active = {
        uid: Member(joined, [0 if (number + day) % 3 else ABSENT for day in range(7)])
        for number, uid in enumerate(crowd, monday_of(week).day)
    }
    return activity_weeks.fields(week, active)


def test_a_week_of_many_users_lies_in_parts(quiet: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity_weeks, "MOST_IN_PART", 2)
    week = "2026-W53"
    with instance(quiet.stack.environment()):
        weeks = activity_weeks.read(week)
        for uid in "abcde":
            weeks.users[week][uid] = Member(None, [ord(uid)] * 7)
        weeks.store(week)
        assert sorted(quiet.documents(activity_weeks.COLLECTION)) == [
            f"{week}-{part:02}" for part in range(3)
        ]
        activity_weeks.forget("a", week)
        again = activity_weeks.read(week)
        assert {uid: member.days[0] for uid, member in again.users[week].items()} == {
            uid: ord(uid) for uid in "bcde"
        }
        # Of two who changed the same week, the later one is told.
        again.users[week]["f"] = Member(None, [0] * 7)
        again.store(week)
        with pytest.raises(Conflict):
            again.store(week)
