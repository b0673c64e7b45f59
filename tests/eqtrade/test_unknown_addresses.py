"""What is no address below the API is told in the API's own form, whatever characters it has."""

import pytest
from django.test import Client


@pytest.mark.parametrize(
    "rest", ["", "nothing/here/", "%0A", "trades/imports/a%0Ab/", "trades/imports/%0D%0A/undo/"]
)
def test_an_unknown_address_is_answered_as_the_api_answers(rest: str) -> None:
    answer = Client().get(f"/api/v1/{rest}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"
    assert [error["code"] for error in answer.json()["errors"]] == ["not_found"]
