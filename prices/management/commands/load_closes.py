from prices.closes.write import closes_load
from prices.management.load_command import load_command

Command = load_command("closes", "ticker,session,close", closes_load)
