"""Tells the database who is asking, before a statement that its triggers record.

They read one setting of the transaction. Statements to other tables, bookings among them, pay a
look at their first letters and nothing else.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.db import transaction

from audit.context import who_asks
from audit.tables import AUDITED

_WRITES = ("INSERT", "UPDATE", "DELETE")
_TABLE = re.compile(r'(?:INSERT INTO|UPDATE(?: ONLY)?|DELETE FROM) "?(\w+)')

Execute = Callable[[Any, Any, bool, dict[str, Any]], Any]


def tell_who(execute: Execute, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """A wrapper of Django's cursors. Outside of a transaction the statement gets one, as the
    setting is the transaction's own: no later user of the connection can be taken for this one."""
    if not isinstance(sql, str) or sql[:6] not in _WRITES:
        return execute(sql, params, many, context)
    found = _TABLE.match(sql)
    if found is None or found[1] not in AUDITED:
        return execute(sql, params, many, context)
    who = json.dumps(asdict(who_asks()))
    with transaction.atomic(using=context["connection"].alias, savepoint=False):
        with context["connection"].cursor() as cursor:
            cursor.execute("SELECT set_config('eqtrade.audit', %s, true)", [who])
        return execute(sql, params, many, context)
