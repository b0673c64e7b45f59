"""The barest: a `websockets` server that sends the same text to all who are connected.

`python -m benchmarks.designs.bare_broadcast PORT`; a line in is a JSON list of texts, each of which
goes to everybody, a line out says that all of it was given to the sockets.
"""

import asyncio
import json
import logging
import sys

from websockets.asyncio.server import ServerConnection, broadcast, serve

from eqtrade.ws import allow_open_files


async def hold(connection: ServerConnection) -> None:
    async for _ in connection:
        pass


async def main(port: int) -> None:
    allow_open_files()
    logging.disable()
    reader = asyncio.StreamReader(limit=64 * 1024 * 1024)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with serve(hold, "127.0.0.1", port, compression=None, backlog=2_000) as server:
        print(json.dumps("ready"), flush=True)
        while line := await reader.readline():
            for text in json.loads(line):
                broadcast(server.connections, text)
                # As ours does: what a client has not taken is not added to.
                for connection in server.connections:
                    await connection.drain()
            print(json.dumps("sent"), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
