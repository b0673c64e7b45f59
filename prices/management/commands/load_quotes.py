from prices.management.load_command import load_command
from prices.quotes.write import quotes_load

Command = load_command("quotes", "ticker,as_of,price", quotes_load)
