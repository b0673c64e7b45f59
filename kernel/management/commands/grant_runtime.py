"""Give the runtime role its rights. Run as the owner after each migrate; running again is safe."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction
from psycopg import sql

from kernel.database import append_only_tables, changeable_columns, kept_tables


class Command(BaseCommand):
    help = (
        "Grant the runtime role its rights: all rows, but append-only tables are only added to, and"
        " of kept ones none is deleted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role")

    def handle(self, *args: Any, **options: Any) -> None:
        role = sql.Identifier(options["role"])
        append_only = append_only_tables()
        with transaction.atomic(), connection.cursor() as cursor:
            run = cursor.execute
            run(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
            run(
                sql.SQL(
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}"
                ).format(role)
            )
            run(sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(role))
            for table in [*append_only, "django_migrations"]:
                run(
                    sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON TABLE {} FROM {}").format(
                        sql.Identifier(table), role
                    )
                )
            for table, columns in changeable_columns().items():
                run(
                    sql.SQL("REVOKE UPDATE ON TABLE {} FROM {}").format(sql.Identifier(table), role)
                )
                run(
                    sql.SQL("GRANT UPDATE ({}) ON TABLE {} TO {}").format(
                        sql.SQL(", ").join(map(sql.Identifier, columns)),
                        sql.Identifier(table),
                        role,
                    )
                )
            for table in kept_tables():
                run(
                    sql.SQL("REVOKE DELETE, TRUNCATE ON TABLE {} FROM {}").format(
                        sql.Identifier(table), role
                    )
                )
            run(
                sql.SQL("REVOKE INSERT ON TABLE {} FROM {}").format(
                    sql.Identifier("django_migrations"), role
                )
            )
        self.stdout.write(f"{options['role']}: append-only are {', '.join(append_only)}")
        self.stdout.write(f"{options['role']}: kept are {', '.join(kept_tables())}")
