"""Bulk booking: a file as the server reads it, asked about, booked, taken back; rows generated."""

import csv
from pathlib import Path
from typing import Any

from playwright.sync_api import Route, expect

from tests.browser.blotter_page import BlotterPage
from tests.browser.conftest import Open
from tests.stack.eventually import eventually
from tests.stack.running import RunningStack

HEADER = "ticker,account,side,quantity,price\n"


def open_bulk(open_as: Open, user: str = "trader") -> BlotterPage:
    page = open_as(user)
    page.go("Bulk booking")
    expect(page.page.get_by_role("button", name="Choose a file…")).to_be_enabled()
    return page


def choose(page: BlotterPage, file: Path) -> None:
    page.page.get_by_test_id("bulk-file").set_input_files(file)


def counted(page: BlotterPage, *, rows: int, book: int, refused: int) -> None:
    find = page.page.get_by_test_id
    expect(find("bulk-total")).to_have_text(f"{rows:,}")
    expect(find("bulk-ready")).to_have_text(f"{book:,}")
    expect(find("bulk-invalid")).to_have_text(f"{refused:,}")


def say_account(page: BlotterPage, code: str) -> None:
    """By a button, or in a list where there are many."""
    asks = page.page.get_by_test_id("preview-asks")
    button = asks.get_by_role("button", name=code, exact=True)
    chosen = button.or_(asks.get_by_test_id("ask-account"))
    expect(chosen.first).to_be_visible()
    if button.count():
        button.click()
    else:
        asks.get_by_test_id("ask-account").select_option(code)


def booked(page: BlotterPage, trades: int) -> None:
    """Book what is shown, and wait until a worker has."""
    page.page.get_by_test_id("bulk-book").click()
    job = page.page.get_by_test_id("import").first
    expect(job).to_have_attribute("data-state", "done")
    expect(job).to_contain_text(f"{trades} booked")


def test_a_file_is_looked_at_booked_and_undone(
    stack: RunningStack, open_as: Open, tmp_path: Path
) -> None:
    desk = stack.desk()
    file = tmp_path / "trades.csv"
    good = "".join(f"KO,{desk},buy,{n},60.25\n" for n in range(1, 26))
    bad = f'NOSUCH,{desk},buy,1,1\nKO,{desk},hold,1,1\nKO,{desk},buy,"1,000",60\nKO,Other,buy,1,1\n'
    file.write_text(HEADER + good + bad)
    page = open_bulk(open_as)
    choose(page, file)
    find = page.page.get_by_test_id
    counted(page, rows=29, book=26, refused=3)
    assert stack.client("trader").rows("trades/", account=desk) == []
    page.page.get_by_role("button", name="Refused").click()
    rows = find("preview-rows")
    expect(rows.get_by_text("Ticker: This ticker is not known.")).to_be_visible()
    expect(rows.get_by_text("Side: This must be buy or sell.")).to_be_visible()
    expect(rows.get_by_text("Account: You have no account of this code.")).to_be_visible()
    find("bulk-group-size").fill("10")
    # First without booking; the file stays.
    find("bulk-dry-run").click()
    expect(find("import").first).to_contain_text("26 would be booked, 3 rejected")
    assert stack.client("trader").rows("trades/", account=desk) == []
    booked(page, 26)
    expect(find("bulk-grid")).to_be_visible()
    job = find("import").first
    with page.page.expect_download() as saved:
        job.get_by_role("button", name="GUIDs as CSV").click()
    ids = list(csv.DictReader(saved.value.path().read_text(encoding="utf-8-sig").splitlines()))
    trades = stack.client("trader").rows("trades/", account=desk)
    assert {row["trade_id"] for row in ids} == {trade["id"] for trade in trades}
    assert len({row["request_group"] for row in ids}) == 3
    with page.page.expect_download() as saved:
        job.get_by_role("link", name="Rejected rows").click()
    mended = tmp_path / "mended.csv"
    mended.write_text(saved.value.path().read_text().replace("NOSUCH", "KO"))
    choose(page, mended)
    counted(page, rows=3, book=1, refused=2)
    find("preview").wait_for()
    page.page.get_by_role("button", name="Put the file aside").click()
    job.get_by_role("button", name="Undo…").click()
    job.get_by_label("Why are these 26 trades cancelled?").fill("wrong file")
    job.get_by_role("button", name="Cancel all 26").click()
    expect(find("import").first).to_have_attribute("data-state", "undone")
    assert stack.client("trader").quantities(desk) == {}


def test_a_large_file_is_shown_by_its_first_rows_while_the_others_are_read(
    stack: RunningStack, open_as: Open, tmp_path: Path
) -> None:
    desk = stack.desk()
    file = tmp_path / "trades.csv"
    row = f"KO,{desk},buy,1,60.25\n"
    rows = 1_100_000 // len(row)
    file.write_text(HEADER + row * rows)
    page = open_bulk(open_as)
    find = page.page.get_by_test_id
    asked: list[Route] = []

    def hold_the_second(route: Route) -> None:
        asked.append(route)
        if len(asked) == 1:
            route.continue_()

    page.page.route("**/imports/preview/", hold_the_second)
    choose(page, file)
    expect(find("preview-rows").get_by_text("60.25").first).to_be_visible()
    expect(find("preview")).to_have_attribute("aria-busy", "true")
    expect(find("preview")).to_contain_text("Reading the rest…")
    expect(find("preview")).to_contain_text("1.1 MB")
    expect(find("bulk-book")).to_be_disabled()
    expect(find("bulk-dry-run")).to_be_disabled()
    asked[1].continue_()
    assert len(asked) == 2
    counted(page, rows=rows, book=rows, refused=0)
    expect(find("preview")).to_have_attribute("aria-busy", "false")
    expect(find("bulk-book")).to_be_enabled()


def test_a_file_that_is_none_is_refused_in_words(open_as: Open, tmp_path: Path) -> None:
    page = open_bulk(open_as)
    problem = page.page.get_by_test_id("bulk-problem")
    for name, content, said in (
        ("empty.csv", b"", "is empty"),
        ("sheet.xlsx", b"PK\x03\x04\x00\x00", "Excel workbook. Save it as CSV"),
        ("nul.csv", HEADER.encode() + b"a\x00b\n", "NUL byte"),
    ):
        file = tmp_path / name
        file.write_bytes(content)
        choose(page, file)
        expect(problem).to_contain_text(said)


def test_what_a_page_of_its_own_rules_read_wrongly_is_read_by_the_server(
    stack: RunningStack, open_as: Open, tmp_path: Path
) -> None:
    """A row of more cells than the header, a quote that is never closed, and another encoding."""
    desk = stack.desk()
    page = open_bulk(open_as)
    find = page.page.get_by_test_id
    file = tmp_path / "broken.csv"
    lines = [
        f"KO,{desk},buy,1,250,70.32,",
        f'KO,{desk},buy,1,70,"open',
        f"KO,{desk},buy,2,71,",
        f"KO,{desk},sell,3,72,Müller – Auftrag",
    ]
    file.write_bytes((f"{HEADER.strip()},note\n" + "\n".join(lines) + "\n").encode("cp1252"))
    choose(page, file)
    counted(page, rows=4, book=2, refused=2)
    rows = find("preview-rows")
    expect(rows.get_by_text("A quote in this line is never closed.")).to_be_visible()
    expect(find("preview-how")).to_contain_text("Windows-1252")
    booked(page, 2)
    trades = stack.client("trader").rows("trades/", account=desk)
    assert {(t["side"], t["quantity"], t["note"]) for t in trades} == {
        ("buy", "2", ""), ("sell", "3", "Müller – Auftrag"),
    }  # fmt: skip


def test_what_nothing_decides_is_asked_and_what_columns_mean_is_said(
    stack: RunningStack, open_as: Open, tmp_path: Path
) -> None:
    desk = stack.desk()
    page = open_bulk(open_as)
    find = page.page.get_by_test_id
    file = tmp_path / "asked.csv"
    file.write_text("Paper;When;Dir;Qty;Px;Colour\nKO;05/06/2026;Kauf;1.250;70;red\n")
    choose(page, file)
    asks = find("preview-asks")
    expect(asks).to_contain_text("The header lacks ticker")
    expect(find("bulk-book")).to_be_disabled()
    for number, field in enumerate(("ticker", "trade_date", "side", "quantity", "price"), start=1):
        find(f"column-{number}").select_option(field)
        expect(find("preview")).to_have_attribute("aria-busy", "false")
    asks.get_by_role("button", name="Pass over what is not known").click()
    say_account(page, desk)
    asks.get_by_role("button", name="Comma: 1.250,50").click()
    asks.get_by_role("button", name="Day first: 24/11/2026").click()
    expect(asks).to_have_count(0)
    row = find("preview-row")
    expect(row).to_have_attribute("data-state", "book")
    expect(row).to_contain_text("1,250")
    expect(row).to_contain_text("2026-06-05")
    find("save-way").click()
    find("way-name").fill("our broker")
    find("way-name").press("Enter")
    expect(find("saved-way")).to_have_value("our broker")
    # The next file of that kind is read so at once.
    file.write_text("Paper;When;Dir;Qty;Px;Colour\nKO;05/06/2026;Kauf;2.500;71;red\n")
    choose(page, file)
    expect(asks).to_be_visible()
    find("saved-way").select_option("our broker")
    expect(row).to_contain_text("2,500")
    booked(page, 1)
    (trade,) = stack.client("trader").rows("trades/", account=desk)
    assert (trade["quantity"], trade["trade_date"]) == ("2500", "2026-06-05")


def test_what_columns_probably_mean_is_taken_by_a_press(
    stack: RunningStack, open_as: Open, tmp_path: Path
) -> None:
    """A bank's headings in German; what is suggested is nothing before it was taken."""
    desk = stack.desk()
    page = open_bulk(open_as)
    find = page.page.get_by_test_id
    file = tmp_path / "depot.csv"
    file.write_text(
        "Datum;Papier;Richtung;Stück;Kurs;Gebühr;Farbe\n25.11.2026;KO;Kauf;1.250;68,50;4,90;rot\n"
    )
    choose(page, file)
    expect(find("column-6")).to_have_value("")
    take = find("take-suggested")
    expect(take).to_contain_text("Stück as Quantity; Kurs as Price; Gebühr as Fee, commission")
    take.focus()
    page.page.keyboard.press("Enter")
    expect(find("column-6")).to_have_value("commission")
    expect(take).to_have_count(0)
    find("preview-asks").get_by_role("button", name="Pass over what is not known").click()
    say_account(page, desk)
    booked(page, 1)

    def only() -> dict[str, Any]:
        # The file before this one may still be shown as the last.
        rows = stack.client("trader").rows("trades/", account=desk)
        assert len(rows) == 1
        return rows[0]

    trade = eventually(only)
    assert (trade["quantity"], trade["trade_date"]) == ("1250", "2026-11-25")
    assert float(trade["price"]) == 68.5
    assert [(fee["kind"], float(fee["amount"])) for fee in trade["fees"]] == [("commission", 4.9)]


def test_the_same_file_twice_is_asked_about(
    stack: RunningStack, open_as: Open, tmp_path: Path
) -> None:
    desk = stack.desk()
    file = tmp_path / "twice.csv"
    file.write_text(HEADER + f"KO,{desk},buy,3,60\n" * 4)
    page = open_bulk(open_as)
    find = page.page.get_by_test_id
    choose(page, file)
    booked(page, 4)
    choose(page, file)
    expect(find("bulk-seen")).to_contain_text("trader imported this very file on")
    expect(find("preview-duplicates")).to_have_text("4")
    expect(find("bulk-book")).to_be_disabled()
    find("bulk-once-more").check()
    find("bulk-book").click()
    expect(find("preview")).to_have_count(0)
    expect(find("import").first).to_have_attribute("data-state", "done")
    assert len(stack.client("trader").rows("trades/", account=desk)) == 8


def test_a_name_is_added_and_the_file_read_anew(
    stack: RunningStack, open_as: Open, tmp_path: Path
) -> None:
    desk = stack.desk()
    file = tmp_path / "etf.csv"
    file.write_text(HEADER + f"QQQM,{desk},buy,3,60\n")
    page = open_bulk(open_as, "middleoffice")
    choose(page, file)
    counted(page, rows=1, book=0, refused=1)
    form = page.page.get_by_test_id("add-instrument")
    form.get_by_role("button", name="QQQM").click()
    form.get_by_label("Name").fill("Invesco NASDAQ 100 ETF")
    form.get_by_label("Exchange").select_option("XNAS")
    form.get_by_role("button", name="Add it").click()
    expect(form.get_by_role("status")).to_contain_text("the file is read anew")
    counted(page, rows=1, book=1, refused=0)


def test_rows_are_pasted(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    page = open_bulk(open_as)
    page.page.get_by_role("button", name="Paste", exact=True).click()
    form = page.page.get_by_test_id("paste-form")
    form.get_by_role("textbox").fill(
        f"ticker\taccount\tside\tquantity\tprice\nKO\t{desk}\tbuy\t7\t60.5\n"
    )
    form.get_by_role("button", name="Read them").click()
    counted(page, rows=1, book=1, refused=0)
    booked(page, 1)
    assert stack.client("trader").quantities(desk) == {"KO": 7}


def test_generated_rows_are_booked_and_undone(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    page = open_bulk(open_as)
    find = page.page.get_by_test_id
    page.generate(40, desk)
    grid = find("bulk-grid")
    for row in ("1", "2"):
        grid.locator(f'.ag-row[row-id="{row}"] input[type=checkbox]').first.check()
    find("bulk-remove").click()
    expect(find("bulk-ready")).to_have_text("38")
    find("bulk-group-size").fill("20")
    find("bulk-book").click()
    expect(find("bulk-booked")).to_have_text("38 booked")
    expect(find("bulk-result")).to_contain_text("2 request groups")
    trades = stack.client("trader").rows("trades/", account=desk)
    assert len(trades) == 38
    assert {trade["ticker"] for trade in trades} <= {"KO", "PEP"}
    with page.page.expect_download() as saved:
        find("bulk-ids").click()
    rows = list(csv.DictReader(saved.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert {row["trade_id"] for row in rows} == {trade["id"] for trade in trades}
    find("bulk-undo").click()
    page.page.get_by_label("Why are these 38 trades cancelled?").fill("a test")
    page.page.get_by_role("button", name="Cancel all 38").click()
    expect(find("bulk-result")).to_contain_text("38 undone")

    def nothing_is_held() -> None:
        assert stack.client("trader").quantities(desk) == {}

    eventually(nothing_is_held)


def test_generated_rows_are_booked_in_the_background(stack: RunningStack, open_as: Open) -> None:
    """Workers book them while the page may be elsewhere."""
    desk = stack.desk()
    page = open_bulk(open_as)
    find = page.page.get_by_test_id
    page.generate(30, desk)
    find("bulk-background").click()
    expect(find("bulk-total")).to_have_text("0")
    page.go("Prices")
    page.go("Bulk booking")
    job = find("import").first
    expect(job).to_have_attribute("data-state", "done")
    expect(job).to_contain_text("30 booked")
    assert len(stack.client("trader").rows("trades/", account=desk)) == 30


def test_leaving_is_asked_about_on_every_page_while_a_booking_goes_on(
    stack: RunningStack, open_as: Open
) -> None:
    page = open_bulk(open_as)
    find = page.page.get_by_test_id
    asks = "() => !dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert page.page.evaluate(asks) is False
    page.generate(1, stack.desk())
    expect(find("bulk-ready")).to_have_text("1")
    # Rows that are there would be lost.
    assert page.page.evaluate(asks) is True
    # No answer comes.
    page.page.route("**/api/v1/trades/bulk/", lambda _: None)
    find("bulk-book").click()
    page.go("Prices")
    expect(page.page.get_by_test_id("prices-grid")).to_be_visible()
    assert page.page.evaluate(asks) is True


def test_leaving_is_asked_about_while_a_file_is_sent(
    stack: RunningStack, open_as: Open, tmp_path: Path
) -> None:
    file = tmp_path / "trades.csv"
    file.write_text(HEADER + f"KO,{stack.desk()},buy,1,60\n")
    page = open_bulk(open_as)
    choose(page, file)
    counted(page, rows=1, book=1, refused=0)
    asks = "() => !dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert page.page.evaluate(asks) is False
    page.page.route("**/api/v1/trades/imports/", lambda _: None)
    page.page.get_by_test_id("bulk-book").click()
    page.go("Prices")
    assert page.page.evaluate(asks) is True
