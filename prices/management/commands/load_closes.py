from prices.management.load_command import load_command
from prices.services.closes import closes_load

Command = load_command("closes", "ticker,session,close", closes_load)
