"""The words for a purchase, a sale, a cancellation, and for a row that is no trade at all. Pure.

A word that is in none of these lists is refused: nothing is guessed from a number or a letter that
brokers use for different things.
"""

import re
from functools import lru_cache
from typing import NamedTuple

BUY, SELL = "buy", "sell"

_WORDS = {
    BUY: (
        "buy", "bought", "b", "bot", "bto", "btc", "buys", "purchase", "purchased", "you bought",
        "market buy", "limit buy", "stop buy", "stop limit buy", "buy market", "buy limit",
        "buy to cover", "buy to open", "buy cover", "bought to cover", "bought to open", "cover",
        "kauf", "koop", "aankoop", "achat", "compra", "acquisto", "kjøp", "köp", "køb",
        "reinvest shares",
    ),
    SELL: (
        "sell", "sold", "s", "sld", "ss", "stc", "sto", "sells", "sale", "you sold",
        "market sell", "limit sell", "stop sell", "stop limit sell", "sell market", "sell limit",
        "sell short", "sold short", "short", "short sell", "short sale", "sell to close",
        "sell to open", "sold to close",
        "verkauf", "verkoop", "vente", "venta", "vendita", "venda", "salg", "sälj",
    ),
}  # fmt: skip
_BY_WORD = {word: side for side, words in _WORDS.items() for word in words}
# What follows is the name of the share.
_BEGINS = {"you bought ": BUY, "you sold ": SELL}

# In this order: the first that has one of its words says the kind.
_KINDS = (
    ("dividend", "dividends? div cdiv mdiv sdiv qdiv dividende dividendo cash.in.lieu cil"),
    ("dividend", "payment.in.lieu"),
    ("interest", "interest int zinsen rente intérêts sweep"),
    ("option", "options? expired expiration assigned assignment exercised? oexp oasgn oexcs oca"),
    ("fee", "fees? commission charges? gold gmpc dfee adr.mgmt service.fee gebühr kosten"),
    ("tax", "tax taxes dtax nra withholding withheld stamp.duty steuer belasting"),
    ("split", "splits? spr spl merger mrgs spin[-.]?off soff name.change exchange"),
    ("cash", "deposits? withdrawals? withdraw ach rtp wire funds cash contribution moneylink"),
    ("cash", "einzahlung auszahlung storting opname rebate"),
    ("transfer", "transfers? transferred acats? acati acato journal(?:ed)? overboeking"),
    ("lending", "loan loaned slip lending repaid"),
)  # fmt: skip


def _one_of(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(words.split())})\b")


_FOUND = tuple((kind, _one_of(words)) for kind, words in _KINDS)
_CANCEL = re.compile(
    r"\b(?:cxl|cancel|cancels|canceled|cancelled|cancellation|ca|bust|busted|storno)\b[.]?"
)
_CORRECT = re.compile(r"\b(?:cor|corr|correct|corrects|corrected|correction|co)\b[.]?")
# Of two letters alone a note may be anything.
_LETTERS = frozenset({"ca", "co"})
_BLANKS = re.compile(r"[\s_]+")
_ROUND = re.compile(r"[()\[\]:,;-]+")


class Said(NamedTuple):
    """`side` is buy, sell or "" where the word does not say; `kind` is that of a row which is no
    trade; `action` is "cancel" or "correct" where the row changes another one."""

    side: str = ""
    kind: str = ""
    action: str = ""


@lru_cache(4096)
def said(cell: str) -> Said | None:
    """What a cell under a side's column says; None when it says nothing known."""
    word = plain(cell)
    side = _BY_WORD.get(word)
    if side is not None:
        return Said(side)
    for begin, of in _BEGINS.items():
        if word.startswith(begin):
            return Said(of)
    rest = _BLANKS.sub(" ", _ROUND.sub(" ", word)).strip()
    action = action_of(rest)
    if action:
        pattern = _CANCEL if action == "cancel" else _CORRECT
        left = _BLANKS.sub(" ", pattern.sub(" ", rest)).strip().removesuffix(".").strip()
        side = _BY_WORD.get(left, "")
        if side or not left:
            return Said(side, action=action)
    kind = kind_of(word)
    return Said(kind=kind) if kind else None


def action_of(text: str) -> str:
    """Whether a text says that its row cancels or corrects another one."""
    word = plain(text)
    if _CANCEL.search(word):
        return "cancel"
    return "correct" if _CORRECT.search(word) else ""


@lru_cache(4096)
def is_only_action(text: str) -> str:
    """The same of a note, which must say nothing else."""
    word = plain(text).strip("()[]. ")
    if word in _LETTERS:
        return ""
    if _CANCEL.fullmatch(word):
        return "cancel"
    return "correct" if _CORRECT.fullmatch(word) else ""


@lru_cache(4096)
def kind_of(text: str) -> str:
    """The kind of a row that is no trade, by its words; "" when they do not say."""
    word = plain(text)
    for kind, pattern in _FOUND:
        if pattern.search(word):
            return kind
    return ""


def plain(text: str) -> str:
    """Case, blanks and underscores do not matter."""
    return _BLANKS.sub(" ", text).strip().lower()
