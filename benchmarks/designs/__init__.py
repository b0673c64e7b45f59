"""Other ways of doing what eqtrade does, to measure it beside: the barest, and the usual."""
