"""The administrator in a browser: logs in, and makes an account in the admin."""

import re

import requests

from tests.compose.project import Failed

TIMEOUT = 30


class Admin:
    """A browser's session: cookies, forms, and their tokens against forgery."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self.session = requests.Session()
        self._send("/login/", username=user, password=password)
        if "sessionid" not in self.session.cookies:
            raise Failed("the administrator could not log in")

    def make_account(self, code: str) -> None:
        self._send(
            "/admin/accounts/account/add/",
            code=code,
            name=f"Tests, {code}",
            can_short="on",
            is_active="on",
            **{
                "entitlements-TOTAL_FORMS": "0",
                "entitlements-INITIAL_FORMS": "0",
                "entitlement_set-TOTAL_FORMS": "0",
                "entitlement_set-INITIAL_FORMS": "0",
            },
        )

    def get(self, path: str) -> requests.Response:
        return self.session.get(f"{self.url}{path}", timeout=TIMEOUT)

    def _send(self, path: str, **fields: str) -> None:
        """Fill in a form as a browser does: its page first, then the answer; it must redirect."""
        page = self.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        if page.status_code != 200 or token is None:
            raise Failed(f"{path} answered {page.status_code}, without a form")
        answer = self.session.post(
            f"{self.url}{path}",
            data={"csrfmiddlewaretoken": token.group(1), **fields},
            headers={"Origin": self.url, "Referer": f"{self.url}{path}"},
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        if answer.status_code != 302:
            raise Failed(f"{path} refused its form: {answer.status_code}\n{answer.text[-3000:]}")
