"""Two PostgreSQL under Patroni, killed while bookings go on: `make ha-test`."""
