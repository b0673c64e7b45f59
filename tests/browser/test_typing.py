"""Rows that are typed into the bulk grid: by keys alone, from blank to booked."""

import csv

from playwright.sync_api import Locator, expect

from tests.browser.blotter_page import BlotterPage
from tests.browser.conftest import Open
from tests.stack.eventually import eventually
from tests.stack.running import RunningStack

PASTED = "Symbol\tB/S\tQty\tPrice\tColour\nPEP\tB\t1,000\t$60\tred\nPEP\tS\t10k\t61\t\n"
REFUSED = (
    "Symbol\tB/S\tQty\tPrice\tTrade date\n"
    "KO\tB\t10\t60.50\t\nKO\tB\t10\t60.50\t2026-01-24\nNOSUCH\tB\t10\t60.50\t\n"
)
"""A row that is right, one of a Saturday, which the server alone knows, and one of no name."""
PASTE = """(text) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  document.activeElement.dispatchEvent(
    new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}"""


def cell(page: BlotterPage, row: int, column: str) -> Locator:
    grid = page.page.get_by_test_id("bulk-grid")
    return grid.locator(f'.ag-row[row-id="{row}"] [col-id="{column}"]')


def typing(open_as: Open, desk: str) -> BlotterPage:
    page = open_as("trader")
    page.go("Bulk booking")
    page.page.get_by_role("button", name="Type", exact=True).click()
    page.page.get_by_test_id("type-one").click()
    expect(cell(page, 1, "state")).to_have_text("Empty")
    expect(cell(page, 1, "ticker").locator("input")).to_be_focused()
    keys = page.page.keyboard
    for text in ("ko", "b", "1,000", "$60.50"):
        keys.type(text)
        keys.press("Tab")
    keys.press("Escape")
    cell(page, 1, "account").dblclick()
    keys.press("Control+a")
    keys.type(desk)
    keys.press("Enter")
    expect(cell(page, 1, "state")).to_have_text("Ready")
    return page


def test_rows_are_typed_filled_undone_and_booked(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    page = typing(open_as, desk)
    keys, find = page.page.keyboard, page.page.get_by_test_id
    expect(cell(page, 1, "quantity")).to_have_text("1000")
    expect(cell(page, 1, "price")).to_have_text("60.50")
    expect(cell(page, 1, "side")).to_have_text("Buy")
    # Headings say what was pasted, and rows come as they are needed.
    cell(page, 1, "ticker").click()
    page.page.evaluate(PASTE, PASTED)
    expect(cell(page, 2, "ticker")).to_have_text("PEP")
    expect(cell(page, 2, "quantity")).to_have_text("10000")
    expect(cell(page, 1, "quantity")).to_have_text("1000")
    keys.press("Control+z")
    expect(find("bulk-total")).to_have_text("1")
    expect(cell(page, 1, "ticker")).to_have_text("KO")
    keys.press("Control+y")
    expect(cell(page, 1, "ticker")).to_have_text("PEP")
    expect(find("bulk-ready")).to_have_text("2")
    # What is wrong is said of its row, and filled down it is mended.
    cell(page, 2, "price").dblclick()
    keys.press("Control+a")
    keys.type("1.000,50")
    keys.press("Enter")
    expect(cell(page, 2, "state")).to_have_text("Invalid")
    expect(cell(page, 2, "problem")).to_contain_text("The price must be a plain number")
    cell(page, 2, "price").click()
    keys.press("Control+d")
    expect(cell(page, 2, "price")).to_have_text("60")
    expect(find("bulk-ready")).to_have_text("2")
    find("bulk-dry-run").click()
    job = find("import").first
    expect(job).to_have_attribute("data-state", "done")
    assert stack.client("trader").rows("trades/", account=desk) == []
    find("bulk-book").click()
    question = find("bulk-question")
    expect(question.or_(find("bulk-booked"))).to_be_visible()
    if question.is_visible():
        keys.press("Control+Enter")
    expect(find("bulk-booked")).to_have_text("2 booked")

    def held() -> None:
        assert stack.client("trader").quantities(desk) == {"PEP": -9_000}

    eventually(held)


def test_what_is_invalid_and_what_is_refused_are_counted_apart(
    stack: RunningStack, open_as: Open
) -> None:
    """By the list and by the panel beside it alike."""
    desk = stack.desk()
    page = typing(open_as, desk)
    find, grid = page.page.get_by_test_id, page.page.get_by_test_id("bulk-grid")
    shown = grid.get_by_role("group", name="Which rows are shown").get_by_role("button")
    cell(page, 1, "ticker").click()
    page.page.evaluate(PASTE, REFUSED)
    expect(cell(page, 3, "state")).to_have_text("Invalid")
    find("type-one").click()
    expect(cell(page, 4, "state")).to_have_text("Empty")
    expect(find("bulk-total")).to_have_text("4")
    expect(find("bulk-ready")).to_have_text("2")
    expect(find("bulk-invalid")).to_have_text("1")
    expect(shown).to_have_text(["All", "Valid", "Invalid 1"])
    find("bulk-book").click()
    said = find("bulk-result").get_by_role("status")
    expect(said).to_have_text("1 booked, 1 rejected in 1 request group.")
    expect(cell(page, 2, "state")).to_have_text("Rejected")
    expect(cell(page, 2, "problem")).to_contain_text("is no session")
    expect(find("bulk-invalid")).to_have_text("1")
    expect(shown).to_have_text(["All", "Valid", "Invalid 1", "Rejected 1"])
    for state in ("Invalid", "Rejected"):
        shown.get_by_text(f"{state} 1").click()
        expect(grid.locator('.ag-row [col-id="state"]')).to_have_text([state])
    # Both are in the file of rejected rows, each with its number and why, and nothing else is.
    with page.page.expect_download() as saved:
        find("bulk-rejected-file").click()
    assert saved.value.suggested_filename == "rejected.csv"
    rows = list(csv.DictReader(saved.value.path().read_text(encoding="utf-8-sig").splitlines()))
    told = {
        row["ticker"]: (row["rejected_line"], row["rejected_because"], row["trade_date"])
        for row in rows
    }
    assert len(rows) == 2
    assert told["KO"][0] == "2"
    assert "is no session" in told["KO"][1]
    assert told["KO"][2] == "2026-01-24"
    assert told["NOSUCH"][0] == "3"
    assert "NOSUCH" in told["NOSUCH"][1]
    # Mended, it is read again as it is.
    mended = saved.value.path().read_text(encoding="utf-8-sig")
    mended = mended.replace("NOSUCH", "PEP").replace("2026-01-24", "")
    page.page.get_by_role("button", name="Start anew").click()
    page.page.get_by_role("button", name="File", exact=True).click()
    find("bulk-file").set_input_files(
        {"name": "mended.csv", "mimeType": "text/csv", "buffer": mended.encode()}
    )
    expect(find("bulk-total")).to_have_text("2")
    expect(find("bulk-ready")).to_have_text("2")


def test_a_draft_survives_a_reload(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    page = typing(open_as, desk)
    # It is kept a moment after the last key; the account was typed last.
    page.page.wait_for_function(
        """(last) => Object.entries(localStorage).some(
            ([key, draft]) => key.endsWith("bulk.draft") && draft.includes(last))""",
        arg=desk,
    )
    page.page.reload()
    page.wait_live()
    expect(cell(page, 1, "ticker")).to_have_text("KO")
    expect(cell(page, 1, "quantity")).to_have_text("1000")
    expect(page.page.get_by_test_id("bulk-ready")).to_have_text("1")
    page.page.get_by_role("button", name="Type", exact=True).click()
    page.page.get_by_test_id("type-restored").get_by_role("button", name="Start over").click()
    expect(page.page.get_by_test_id("bulk-total")).to_have_text("0")


def test_fees_and_codes_have_cells(stack: RunningStack, open_as: Open) -> None:
    """Pasted with their headings, typed, told of in words, and booked with their row."""
    desk = stack.desk()
    answer = stack.client("admin").post("strategies/", code="CELL-S")
    assert answer.status_code == 201, answer.text
    page = typing(open_as, desk)
    keys, find = page.page.keyboard, page.page.get_by_test_id
    cell(page, 1, "ticker").click()
    lines = (
        "Symbol\tSide\tQty\tPrice\tComm\tTaxes\tOther fees\tStrategy",
        "PEP\tB\t100\t60\t$1,004.50\t(0.20)\t\tCELL-S",
        "PEP\tB\t200\t60\t0.0000001\t\t−0.25\tNOPE",
    )
    page.page.evaluate(PASTE, "\n".join(lines))
    expect(cell(page, 1, "commission")).to_have_text("1004.50")
    expect(cell(page, 1, "tax")).to_have_text("-0.20")
    expect(find("bulk-fees")).to_be_checked()
    problem = cell(page, 2, "problem")
    expect(problem).to_contain_text("The commission must be at most 6 decimals.")
    expect(problem).to_contain_text("There is no strategy NOPE.")
    cell(page, 2, "commission").dblclick()
    keys.press("Control+a")
    keys.type("2")
    keys.press("Enter")
    cell(page, 2, "strategy").scroll_into_view_if_needed()
    cell(page, 2, "strategy").dblclick()
    typed = cell(page, 2, "strategy").locator("input")
    expect(typed).to_have_attribute("list", "bulk-strategy-list")
    expect(page.page.locator("#bulk-strategy-list option[value=CELL-S]")).to_be_attached()
    keys.press("Control+a")
    keys.type("CELL-S")
    keys.press("Enter")
    expect(find("bulk-ready")).to_have_text("2")
    # A draft keeps them, and shows them again.
    page.page.wait_for_function(
        "() => Object.entries(localStorage).some(([key, kept]) =>"
        " key.endsWith('bulk.draft') && kept.includes('-0.25'))"
    )
    page.page.reload()
    page.wait_live()
    expect(cell(page, 2, "other")).to_have_text("-0.25")
    find("bulk-book").click()
    question = find("bulk-question")
    expect(question.or_(find("bulk-booked"))).to_be_visible()
    if question.is_visible():
        keys.press("Control+Enter")
    expect(find("bulk-booked")).to_have_text("2 booked")
    booked = {
        trade["quantity"]: trade for trade in stack.client("trader").rows("trades/", account=desk)
    }
    fees = {
        quantity: {fee["kind"]: fee["amount"] for fee in trade["fees"]}
        for quantity, trade in booked.items()
    }
    assert fees == {
        "100": {"commission": "1004.5", "tax": "-0.2"},
        "200": {"commission": "2", "other": "-0.25"},
    }
    assert {trade["strategy"] for trade in booked.values()} == {"CELL-S"}
