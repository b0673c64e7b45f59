"""The data of one more stack: a copy of a running one's, which is migrated, seeded and has its
static files, so that the other one's start leaves all of that out."""

import json
import shutil
from pathlib import Path

from eqtrade.up.accounts import server_account
from eqtrade.up.layout import Layout
from eqtrade.up.postgres import Passwords, PostgresServer
from tests.copies import copy_of
from tests.stack.running import RunningStack


def copy_data(stack: RunningStack, data_dir: Path) -> None:
    """Copy what lasts of this stack into a DATA_DIR that is not there yet."""
    account, ours, other = server_account(), stack.layout, Layout(data_dir.resolve())
    other.create()
    shutil.copy2(ours.secrets, other.secrets)
    shutil.copytree(ours.static, other.static)
    for stamp in ("schema", "static"):
        shutil.copy2(ours.run / stamp, other.run / stamp)
    secrets = json.loads(ours.secrets.read_text())
    origin = PostgresServer(
        ours.postgres(account),
        ours.postgres_sockets,
        Passwords(secrets["superuser"], secrets["owner"], secrets["runtime"]),
        account=account,
    )
    home = data_dir.with_name("copied")
    copied = copy_of(origin, home)
    place = other.postgres(account)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(copied.data_dir, place)
    shutil.rmtree(home)
