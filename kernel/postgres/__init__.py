"""The database backend (`ENGINE`): Django's for PostgreSQL, with connections whose death costs
nobody anything."""
