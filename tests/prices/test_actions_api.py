"""Corporate actions over REST: proposed, amended, confirmed, cancelled, and what is refused."""

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User

from prices.actions.read import actions_counting
from prices.models import CorporateAction, Instrument
from prices.sources.simulated import confirmed_splits
from tests import factories as make

URL = "/api/v1/corporate-actions/"
MONDAY, SUNDAY = "2026-03-16", "2026-03-15"
SPLIT = {
    "ticker": "IBM", "kind": "split", "ex_date": MONDAY, "keep_new": "10", "keep_old": "1",
    "reason": "announced",
}  # fmt: skip
SPIN_OFF = {
    "ticker": "IBM", "kind": "spin_off", "ex_date": MONDAY, "reason": "announced",
    "legs": [{"ticker": "KD", "new": "1", "old": "4", "cost_share": "0.2"}],
}  # fmt: skip
MERGER = {
    **SPIN_OFF, "kind": "merger", "cash": "12.50", "cost_to_cash": "0.1",
    "legs": [{"ticker": "KD", "new": "4", "old": "5"}],
}  # fmt: skip


class Office:
    def __init__(self, user: User) -> None:
        self.user = user
        self.client = make.client_of(user)

    def propose(self, terms: dict[str, Any] = SPLIT, **more: Any) -> dict[str, Any]:
        answer = self.client.post(URL, {**terms, **more}, format="json")
        assert answer.status_code == 201, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def refused(self, terms: dict[str, Any], **more: Any) -> tuple[int, list[tuple[str, str]]]:
        return self._errors(self.client.post(URL, {**terms, **more}, format="json"))

    def call(self, action: dict[str, Any], what: str, **body: Any) -> Any:
        body = {"version": action["version"], "reason": "seen", **body}
        if what == "amend":
            return self.client.patch(f"{URL}{action['id']}/", body, format="json")
        return self.client.post(f"{URL}{action['id']}/{what}/", body, format="json")

    def done(self, action: dict[str, Any], what: str, **body: Any) -> dict[str, Any]:
        answer = self.call(action, what, **body)
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def denied(self, action: dict[str, Any], what: str, **body: Any) -> tuple[int, str]:
        status, errors = self._errors(self.call(action, what, **body))
        return status, errors[0][0]

    def _errors(self, answer: Any) -> tuple[int, list[tuple[str, str]]]:
        return answer.status_code, [(e["code"], e["attr"]) for e in answer.json()["errors"]]


@pytest.fixture
def office(db: None) -> Office:
    for ticker in ("IBM", "KD"):
        make.make_instrument(ticker)
    return Office(make.make_user("office", is_superuser=True))


def test_an_action_counts_from_its_confirmation_to_its_cancellation(office: Office) -> None:
    proposed = office.propose()
    assert (proposed["version"], proposed["status"]) == (1, "proposed")
    assert (proposed["confirmed_version"], proposed["keep_new"]) == (None, "10")
    assert actions_counting() == ()
    confirmed = office.done(proposed, "confirm")
    assert (confirmed["version"], confirmed["status"], confirmed["confirmed_version"]) == (
        1, "confirmed", 1,
    )  # fmt: skip
    (counting,) = actions_counting()
    assert (counting.keep_new, counting.ex_date) == (10, date(2026, 3, 16))
    assert confirmed_splits() == {counting.instrument: [(counting.ex_date, 10, 1)]}
    assert office.done(confirmed, "confirm")["decisions"] == confirmed["decisions"]
    cancelled = office.done(confirmed, "cancel", reason="another issuer's")
    assert (cancelled["status"], cancelled["confirmed_version"]) == ("cancelled", None)
    assert (actions_counting(), confirmed_splits()) == ((), {})
    assert [d["decision"] for d in cancelled["decisions"]] == ["confirmed", "cancelled"]
    assert office.denied(cancelled, "amend", keep_new="20") == (409, "cancelled")


def test_what_counts_goes_on_counting_beside_a_further_version(office: Office) -> None:
    action = office.done(office.propose(), "confirm")
    amended = office.done(action, "amend", keep_new="20")
    assert (amended["version"], amended["status"], amended["confirmed_version"]) == (
        2, "proposed", 1,
    )  # fmt: skip
    assert [each.keep_new for each in actions_counting()] == [10]
    assert office.denied(action, "amend", keep_new="5") == (409, "stale_version")
    assert office.denied(action, "confirm") == (409, "stale_version")
    withdrawn = office.done(amended, "cancel")
    assert (withdrawn["status"], withdrawn["confirmed_version"]) == ("confirmed", 1)
    again = office.done(withdrawn, "amend", keep_new="20", ex_date="2026-03-17")
    assert office.done(again, "confirm")["confirmed_version"] == 3
    assert [(e.keep_new, str(e.ex_date)) for e in actions_counting()] == [(20, "2026-03-17")]
    versions = office.client.get(f"{URL}{action['id']}/versions/").json()
    assert [(v["version"], v["keep_new"]) for v in versions] == [(1, "10"), (2, "20"), (3, "20")]
    listed = office.client.get(URL, {"ticker": "IBM", "from": "2026-03-17"}).json()["results"]
    assert [each["id"] for each in listed] == [action["id"]]


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, str]]] = {
    "no session": (SPLIT, {"ex_date": SUNDAY}, ("no_session", "ex_date")),
    "an unknown ticker": (SPLIT, {"ticker": "NONE"}, ("unknown_ticker", "ticker")),
    "a split that is none": (SPLIT, {"keep_new": "1"}, ("ratio", "keep_new")),
    "a reverse split that is none": (SPLIT, {"kind": "reverse_split"}, ("ratio", "keep_new")),
    "a dividend that keeps less": (
        SPLIT, {"kind": "cash_dividend", "cash": "1"}, ("ratio", "keep_new"),
    ),
    "a dividend of nothing": (
        {**SPIN_OFF, "legs": []}, {"kind": "cash_dividend"}, ("required", "cash"),
    ),
    "a split with cash": (SPLIT, {"cash": "1"}, ("not_of_kind", "cash")),
    "a leg of its own": (
        SPIN_OFF, {"legs": [{"ticker": "IBM", "new": "1", "old": "4"}]},
        ("same_instrument", "legs"),
    ),
    "more than the cost": (
        SPIN_OFF, {"legs": [{"ticker": "KD", "new": "1", "old": "4", "cost_share": "1.1"}]},
        ("cost_shares", "legs"),
    ),
    "cash for no share of ours": (SPLIT, {"cash_in_lieu": {"KD": "1"}}, (
        "unknown_ticker", "cash_in_lieu",
    )),
    "no reason": (SPLIT, {"reason": " "}, ("blank", "reason")),
    "an unknown field": (SPLIT, {"ratio": "10:1"}, ("unknown_field", "ratio")),
}  # fmt: skip


@pytest.mark.parametrize(("terms", "more", "error"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(
    office: Office, terms: dict[str, Any], more: dict[str, Any], error: tuple[str, str]
) -> None:
    status, errors = office.refused(terms, **more)
    assert (status, error in errors) == (400, True), errors


def test_a_negative_reference_is_refused_once_the_closes_say_so(office: Office) -> None:
    early = office.propose(SPIN_OFF)
    ibm, kd = (Instrument.objects.get(ticker=ticker) for ticker in ("IBM", "KD"))
    make.make_close(ibm, date(2026, 3, 13), "10")
    make.make_close(kd, date(2026, 3, 13), "50")
    assert office.denied(early, "confirm") == (400, "negative_reference")
    assert office.refused({**SPIN_OFF, "sequence": 2})[1] == [("negative_reference", "legs")]


def test_one_action_of_an_instrument_a_day_and_sequence(office: Office) -> None:
    office.propose()
    assert office.refused(SPLIT) == (409, [("duplicate_action", None)])
    office.propose(sequence=2)


def test_terms_are_completed_by_their_kind(office: Office) -> None:
    merger = office.propose(MERGER, cash_in_lieu="59.10")
    assert (merger["keep_new"], merger["legs"][0]["cost_share"]) == ("0", "1")
    assert (merger["cash_in_lieu"], merger["cash_is_income"]) == ({"KD": "59.1"}, False)
    dividend = {"ticker": "KD", "kind": "cash_dividend", "ex_date": MONDAY, "cash": "1.67"}
    assert office.propose(dividend, reason="x")["cash_is_income"] is True


def test_another_person_confirms_where_that_is_asked_for(office: Office, settings: Any) -> None:
    settings.ACTIONS_FOUR_EYES = True
    proposed = office.propose()
    assert office.denied(proposed, "confirm") == (403, "another_person")
    other = Office(make.make_user("other", is_superuser=True))
    assert other.done(proposed, "confirm")["status"] == "confirmed"


def test_known_at_sees_what_had_been_decided_by_then(office: Office) -> None:
    action = office.done(office.propose(), "confirm")
    decided = CorporateAction.objects.get().versions.get().decisions.get().recorded_at
    office.done(action, "cancel")
    before = decided.replace(year=decided.year - 1)
    assert actions_counting(before) == ()
    assert [each.keep_new for each in actions_counting(decided)] == [10]
