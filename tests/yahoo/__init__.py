"""A Yahoo on loopback, for yfinance as it is: a proxy that is every host itself, over TLS."""
