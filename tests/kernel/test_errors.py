"""What a caller sent comes back in an error as they wrote it, and harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import shown


@pytest.mark.parametrize(
    ("sent", "told"),
    [("Gebühr", "Gebühr"), ("手数料", "手数料"), ("a\nb", "a\\nb"), ("\ud800", "\\ud800"),
     ("x\u202ey", "x\\u202ey"), ("nul\x00", "nul\\x00")],
    ids=["german", "japanese", "line feed", "half character", "mark of direction", "nul"],
)  # fmt: skip
def test_letters_stay_and_what_cannot_be_seen_is_escaped(sent: str, told: str) -> None:
    assert shown(sent) == told


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_everything_shown_can_be_seen_and_stored(text: str) -> None:
    told = shown(text, 8)
    assert told.isprintable()
    assert told.encode().decode() == told
    assert shown(text, 8) == shown(text[:8])
