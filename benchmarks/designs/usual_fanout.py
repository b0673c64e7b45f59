"""The usual: Channels' own consumer in a group for each account; each row that changed is sent to
its account's group as a message of its own, and encoded anew by each connection.

    python -m benchmarks.designs.usual_fanout serve PORT
    python -m benchmarks.designs.usual_fanout send

The sender takes a line of JSON, {account: [row, …]}, and says when it is sent. Both run with the
environment of a stack.
"""

import asyncio
import json
import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eqtrade.settings")
django.setup()

import uvicorn  # noqa: E402 - needs Django set up
from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.layers import get_channel_layer  # noqa: E402
from channels.routing import ProtocolTypeRouter  # noqa: E402

from eqtrade.ws import allow_open_files  # noqa: E402

GROUP = "usual.{}"


class Watcher(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content: Any, **_: Any) -> None:
        for account in content["accounts"]:
            await self.channel_layer.group_add(GROUP.format(account), self.channel_name)
        await self.send(text_data='{"type":"snapshot"}')

    async def row_changed(self, event: dict[str, Any]) -> None:
        await self.send_json({"type": "update", "row": event["row"]})


application = ProtocolTypeRouter({"websocket": Watcher.as_asgi()})


async def send() -> None:
    layer: Any = get_channel_layer()
    for line in sys.stdin:
        for account, rows in json.loads(line).items():
            for row in rows:
                message = {"type": "row.changed", "row": row}
                await layer.group_send(GROUP.format(account), message)
        print(json.dumps("sent"), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "send":
        asyncio.run(send())
    else:
        allow_open_files()
        uvicorn.run(
            application,
            host="127.0.0.1",
            port=int(sys.argv[2]),
            lifespan="off",
            access_log=False,
            log_level="warning",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
        )
