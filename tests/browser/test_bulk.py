"""Bulk booking: from a file, generated, in the background; looked at first, and taken back."""

import csv
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.blotter_page import BlotterPage
from tests.browser.conftest import Open
from tests.stack.running import RunningStack

HEADER = "ticker,account,side,quantity,price\n"


def open_bulk(open_as: Open, user: str = "trader") -> BlotterPage:
    page = open_as(user)
    page.go("Bulk booking")
    expect(page.page.get_by_role("button", name="Choose a file…")).to_be_enabled()
    return page


def choose(page: BlotterPage, file: Path) -> None:
    page.page.get_by_test_id("bulk-file").set_input_files(file)


def test_a_file_is_looked_at_booked_and_undone(
    stack: RunningStack, open_as: Open, tmp_path: Path
) -> None:
    desk = stack.desk()
    file = tmp_path / "trades.csv"
    good = "".join(f"KO,{desk},buy,{n},60.25\n" for n in range(1, 26))
    bad = f'NOSUCH,{desk},buy,1,1\nKO,{desk},hold,1,1\nKO,{desk},buy,"1,000",1\nKO,Other,buy,1,1\n'
    file.write_text(HEADER + good + bad)
    page = open_bulk(open_as)
    choose(page, file)
    find = page.page.get_by_test_id
    expect(find("bulk-total")).to_have_text("29")
    expect(find("bulk-invalid")).to_have_text("4")
    assert stack.client("trader").rows("trades/", account=desk) == []
    page.page.get_by_role("button", name="Invalid 4").click()
    grid = find("bulk-grid")
    expect(grid.get_by_text("There is no instrument NOSUCH.")).to_be_visible()
    expect(grid.get_by_text("The side must be buy or sell.")).to_be_visible()
    expect(grid.get_by_text("The quantity must be without thousands separators.")).to_be_visible()
    expect(grid.get_by_text("There is no account Other.")).to_be_visible()
    # Two of them are removed by hand.
    for row in ("26", "27"):
        grid.locator(f'.ag-row[row-id="{row}"] input[type=checkbox]').first.check()
    find("bulk-remove").click()
    expect(find("bulk-invalid")).to_have_text("2")

    find("bulk-group-size").fill("10")
    find("bulk-book").click()
    expect(find("bulk-booked")).to_have_text("25 booked")
    expect(find("bulk-result")).to_contain_text("3 request groups")
    with page.page.expect_download() as saved:
        find("bulk-ids").click()
    rows = list(csv.DictReader(saved.value.path().read_text(encoding="utf-8-sig").splitlines()))
    booked = stack.client("trader").rows("trades/", account=desk)
    assert {row["trade_id"] for row in rows} == {trade["id"] for trade in booked}
    assert len({row["request_group"] for row in rows}) == 3
    with page.page.expect_download() as saved:
        find("bulk-rejected-file").click()
    assert saved.value.path().read_text(encoding="utf-8-sig").count("\n") == 3

    find("bulk-undo").click()
    page.page.get_by_label("Why are these 25 trades cancelled?").fill("wrong file")
    page.page.get_by_role("button", name="Cancel all 25").click()
    expect(find("bulk-result")).to_contain_text("25 undone")
    assert stack.client("trader").quantities(desk) == {}


def test_a_file_that_is_none_is_refused_in_words(open_as: Open, tmp_path: Path) -> None:
    page = open_bulk(open_as)
    problem = page.page.get_by_test_id("bulk-problem")
    for name, content, said in (
        ("empty.csv", b"", "is empty"),
        ("sheet.xlsx", b"PK\x03\x04\x00\x00", "Save the sheet as CSV"),
        ("columns.csv", b"ticker,account,side\nKO,Test1,buy\n", "missing: quantity, price"),
        (
            "quote.csv",
            f'{HEADER.strip()},note\nKO,Test1,buy,1,70,"open\nKO,Test1,buy,2,71,\n'.encode(),
            "A quote is never closed",
        ),
        (
            "ansi.csv",
            f"{HEADER.strip()},note\nKO,Test1,buy,1,70,Müller\n".encode("cp1252"),
            "not UTF-8",
        ),
        ("more.csv", HEADER.strip().encode() + b",broker\n", "not known: broker"),
    ):
        file = tmp_path / name
        file.write_bytes(content)
        choose(page, file)
        expect(problem).to_contain_text(said)


def test_a_row_of_more_cells_than_the_header_is_not_shifted(
    stack: RunningStack, open_as: Open, tmp_path: Path
) -> None:
    """`1,250` without quotes is two cells: 1 bought at 250, where 1,250 at 70.32 was meant."""
    desk = stack.desk()
    page = open_bulk(open_as)
    file = tmp_path / "thousands.csv"
    file.write_text(f"{HEADER.strip()}\nKO,{desk},buy,1,250,70.32\nKO,{desk},buy,2,71\n")
    choose(page, file)
    find = page.page.get_by_test_id
    expect(find("bulk-ready")).to_have_text("1")
    expect(find("bulk-invalid")).to_have_text("1")
    find("bulk-book").click()
    expect(find("bulk-booked")).to_contain_text("1 booked")
    assert stack.client("trader").quantities(desk) == {"KO": 2}


def test_generated_rows_are_booked(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    page = open_bulk(open_as)
    find = page.page.get_by_test_id
    page.page.get_by_role("button", name="Generate", exact=True).click()
    form = find("generate-form")
    for box in form.get_by_role("checkbox").all():
        box.set_checked(False)
    form.get_by_label(desk).check()
    find("generate-count").fill("40")
    find("generate-tickers").fill("KO, PEP")
    find("generate-submit").click()
    expect(find("bulk-ready")).to_have_text("40")
    find("bulk-book").click()
    expect(find("bulk-booked")).to_have_text("40 booked")
    trades = stack.client("trader").rows("trades/", account=desk)
    assert len(trades) == 40
    assert {trade["ticker"] for trade in trades} <= {"KO", "PEP"}


def test_the_same_file_twice_is_asked_about(
    stack: RunningStack, open_as: Open, tmp_path: Path
) -> None:
    desk = stack.desk()
    file = tmp_path / "twice.csv"
    file.write_text(HEADER + f"KO,{desk},buy,3,60\n" * 4)
    page = open_bulk(open_as)
    find = page.page.get_by_test_id
    for _ in range(2):
        choose(page, file)
        expect(find("bulk-ready")).to_have_text("4")
        find("bulk-background").click()
        expect(find("import").first).to_have_attribute("data-state", "done")
    expect(find("bulk-seen")).to_contain_text("trader imported this very file on")
    expect(find("bulk-ready")).to_have_text("4")
    find("bulk-once-more").click()
    expect(find("bulk-total")).to_have_text("0")
    expect(find("bulk-seen")).to_have_count(0)
    expect(find("import").first).to_have_attribute("data-state", "done")
    assert len(stack.client("trader").rows("trades/", account=desk)) == 8


def test_a_file_booked_in_the_background(
    stack: RunningStack, open_as: Open, tmp_path: Path
) -> None:
    """Workers book it while the page may be elsewhere."""
    desk = stack.desk()
    file = tmp_path / "many.csv"
    file.write_text(HEADER + f"KO,{desk},buy,1,60\n" * 250)
    page = open_bulk(open_as)
    choose(page, file)
    find = page.page.get_by_test_id
    expect(find("bulk-ready")).to_have_text("250")
    find("bulk-background").click()
    expect(find("import").first).to_contain_text("many.csv")
    page.go("Prices")
    page.go("Bulk booking")
    job = find("import").first
    expect(job).to_have_attribute("data-state", "done")
    expect(job).to_contain_text("250 booked")
    expect(find("bulk-total")).to_have_text("0")
    assert len(stack.client("trader").rows("trades/", account=desk)) == 250
    job.get_by_role("button", name="Undo…").click()
    job.get_by_label("Why are these 250 trades cancelled?").fill("a test")
    job.get_by_role("button", name="Cancel all 250").click()
    expect(find("import").first).to_have_attribute("data-state", "undone")


def test_leaving_is_asked_about_on_every_page_while_a_booking_goes_on(
    stack: RunningStack, open_as: Open, tmp_path: Path
) -> None:
    file = tmp_path / "trades.csv"
    file.write_text(HEADER + f"KO,{stack.desk()},buy,1,60\n")
    page = open_bulk(open_as)
    choose(page, file)
    find = page.page.get_by_test_id
    asks = "() => !dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    expect(find("bulk-ready")).to_have_text("1")
    assert page.page.evaluate(asks) is False
    # No answer comes.
    page.page.route("**/api/v1/trades/bulk/", lambda _: None)
    find("bulk-book").click()
    page.go("Prices")
    expect(page.page.get_by_test_id("prices-grid")).to_be_visible()
    assert page.page.evaluate(asks) is True


def test_rejected_rows_are_mended_and_read_again(
    stack: RunningStack, open_as: Open, tmp_path: Path
) -> None:
    """The page's file of them, with its reasons, and every text as it was."""
    desk = stack.desk()
    file = tmp_path / "trades.csv"
    file.write_text(f"{HEADER.strip()},note\nKO,{desk},buy,1,60,\nKO,{desk},hold,2,60,- see mail\n")
    page = open_bulk(open_as)
    choose(page, file)
    find = page.page.get_by_test_id
    expect(find("bulk-ready")).to_have_text("1")
    find("bulk-book").click()
    expect(find("bulk-booked")).to_have_text("1 booked")
    with page.page.expect_download() as saved:
        find("bulk-rejected-file").click()
    mended = tmp_path / "mended.csv"
    text = saved.value.path().read_text(encoding="utf-8-sig")
    assert "The side must be buy or sell." in text
    mended.write_text(text.replace("hold", "buy"))
    choose(page, mended)
    expect(find("bulk-ready")).to_have_text("1")
    find("bulk-background").click()
    expect(find("import").first).to_contain_text("mended.csv")
    expect(find("import").first).to_have_attribute("data-state", "done")
    trades = stack.client("trader").rows("trades/", account=desk)
    assert {trade["note"] for trade in trades} == {"", "- see mail"}
    with page.page.expect_download() as saved:
        find("import").first.get_by_role("button", name="GUIDs as CSV").click()
    rows = list(csv.DictReader(saved.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert [row["trade_id"] for row in rows] == [t["id"] for t in trades if t["note"]]
