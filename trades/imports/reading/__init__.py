"""Reading files of trades as people and brokers write them. Pure: no Django, no database.

1. `encoding`: bytes to UTF-8, said which they were.
2. `heading`: delimiter and header line, found below titles; `names` and `profiles` say what the
   columns mean.
3. `survey`: each column looked through as a whole, so that `numbers` and `dates` are decided by it
   and never guessed. What cannot be decided is asked.
4. `reading`: what was decided, as data: it is stored with an import, and its digest is what a
   person saw before they booked.
5. `rows`: each record as one trade in plain words, or passed over by kind, or refused.
6. `planning`: what only the whole file says: order, cancelled and corrected rows, repeated ids.
"""
