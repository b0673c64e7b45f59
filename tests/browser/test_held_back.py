"""Prices that are held back, decided on the prices page; and one by hand that is asked about."""

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.stack.running import RunningStack

HOLD = """
from django.conf import settings
from kernel import clock
from prices.models import CloseDoubt, Instrument
from prices.notify import publish_changed
from prices.sessions import sessions
now = clock.now()
known = sessions()
today = known.business_date(now)
before = known.previous_session(today)
for ticker, session, kind, price, other in (
    ("NVDA", before, "rewritten", "120.89", "1208.88"), ("KO", today, "quote", "6980", "69.80"),
):
    instrument = Instrument.objects.get(ticker=ticker)
    CloseDoubt.objects.create(
        instrument=instrument, session=session, source=settings.PRICE_SOURCE, kind=kind,
        price=price, compared_with=other, raised_at=known.session_of(today).opens,
        as_of=now if kind == "quote" else None,
    )
    publish_changed([instrument.pk])
"""


def test_what_is_held_back_is_decided_on_the_page(stack: RunningStack, open_as: Open) -> None:
    stack.shell(HOLD)
    page = open_as("middleoffice")
    page.go("Prices")
    panel = page.page.get_by_test_id("held-back")
    expect(panel.get_by_role("listitem")).to_have_count(2)
    expect(panel).to_contain_text("recorded was 1,208.88")
    expect(panel).to_contain_text("like a 10:1 split")
    grid = page.page.get_by_test_id("prices-grid")
    grid.get_by_label("Filter prices").fill("NVDA")
    marks = grid.locator('.ag-row[row-id="NVDA"] [col-id="marks"]')
    expect(marks).to_contain_text("DOUBTFUL")
    panel.get_by_role("button", name="Release 2").click()
    expect(panel.get_by_role("alert")).to_have_text("A reason is needed.")
    panel.get_by_label("Reason").fill("looked at")
    # One after the other: what is not selected stays.
    panel.get_by_role("checkbox").first.uncheck()
    panel.get_by_role("button", name="Refuse 1").click()
    expect(panel.get_by_role("listitem")).to_have_count(1)
    panel.get_by_label("Reason").fill("looked at")
    panel.get_by_role("checkbox").check()
    panel.get_by_role("button", name="Refuse 1").click()
    expect(panel).to_have_count(0)
    expect(marks).not_to_contain_text("DOUBTFUL")


def test_a_viewer_sees_and_does_not_decide(stack: RunningStack, open_as: Open) -> None:
    stack.shell(HOLD)
    try:
        page = open_as("viewer")
        page.go("Prices")
        panel = page.page.get_by_test_id("held-back")
        expect(panel.get_by_role("listitem")).to_have_count(2)
        expect(panel.get_by_role("button")).to_have_count(0)
        expect(panel.get_by_role("checkbox")).to_have_count(0)
    finally:
        admin = stack.client("admin")
        ids = [row["id"] for row in admin.rows("prices/doubts/", state="held")]
        assert admin.post("prices/doubts/refuse/", ids=ids, reason="a test").status_code == 200


def test_a_price_by_hand_far_off_is_asked_about(stack: RunningStack, open_as: Open) -> None:
    page = open_as("middleoffice")
    page.go("Prices")
    grid, detail = (page.page.get_by_test_id(f"price{name}") for name in ("s-grid", "-detail"))
    grid.get_by_label("Filter prices").fill("KO")
    grid.locator('.ag-row[row-id="KO"] [col-id="ticker"]').click()
    detail.get_by_role("textbox", name="Price").fill("0.0203")
    detail.get_by_label("Reason").fill("typed")
    detail.get_by_role("button", name="Set", exact=True).click()
    expect(detail.get_by_role("alert")).to_contain_text("0.0203 is 100% below the last price")
    again = detail.get_by_role("button", name="Set it all the same")
    # Other terms are another question.
    detail.get_by_label("Reason").fill("typed twice")
    expect(again).to_have_count(0)
    detail.get_by_role("button", name="Set", exact=True).click()
    again.click()
    expect(detail.get_by_test_id("override-active")).to_contain_text("0.0203 by middleoffice")
    detail.get_by_role("button", name="End it now").click()
    expect(detail.get_by_test_id("override-active")).to_have_count(0)


def test_staff_add_a_listed_name_from_the_import_page(stack: RunningStack, open_as: Open) -> None:
    page = open_as("middleoffice")
    page.go("Bulk booking")
    form = page.page.get_by_test_id("add-instrument")
    form.get_by_label("Ticker").fill("spy")
    form.get_by_label("Name").fill("SPDR S&P 500 ETF Trust")
    form.get_by_role("button", name="Add it").click()
    expect(form.get_by_role("status")).to_contain_text("SPY is known now.")
    (row,) = stack.client("admin").rows("instruments/", search="SPY")[:1]
    assert (row["ticker"], row["exchange"]) == ("SPY", "ARCX")
