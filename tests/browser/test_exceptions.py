"""Middle office sees what is unusual, says that they have looked, and is told how much is left."""

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.stack.running import RunningStack


def test_an_exception_is_reviewed_with_a_comment(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    stack.client("trader").book(desk, "KO", "buy", "3", "1")
    stack.client("trader").book(desk, "PEP", "buy", "3", "1")
    office = open_as("middleoffice")
    page = office.page
    badge = page.get_by_test_id("open-exceptions")
    expect(badge).to_be_visible()
    office.go("Exceptions")
    kind = page.get_by_test_id("exceptions-off_market")
    rows = kind.locator("tbody tr").filter(has_text=desk)
    expect(rows).to_have_count(2)
    ko = rows.filter(has_text="Buy 3 KO @ 1")
    before = int(badge.inner_text().rstrip("+"))
    review = page.get_by_test_id("exceptions-review")
    expect(review).to_be_disabled()
    # By the keyboard alone, from the row to the comment.
    ko.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    expect(review).to_have_text("Review 1")
    review.click()
    expect(page.get_by_role("alert")).to_contain_text("comment")
    page.get_by_test_id("exceptions-comment").fill("Staff shares")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(badge).to_have_text(str(before - 1))
    page.get_by_role("button", name="Reviewed").click()
    expect(ko).to_contain_text("middleoffice")
    expect(ko).to_contain_text("Staff shares")
    expect(rows).to_have_count(1)
    # The session stands in the address, and a day before has none of these.
    page.get_by_role("button", name="All", exact=True).click()
    expect(rows).to_have_count(2)
    page.get_by_test_id("exceptions-session").fill("2020-01-03")
    expect(rows).to_have_count(0)
    assert "session=2020-01-03" in page.url

    other = open_as("trader")
    expect(other.page.get_by_role("link", name="Exceptions")).to_have_count(0)
    other.page.goto(f"{stack.url}/exceptions/")
    expect(other.page.get_by_test_id("missing")).to_be_visible()
