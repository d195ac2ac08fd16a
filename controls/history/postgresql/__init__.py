"""Django's PostgreSQL backend with a schema editor that keeps history in step."""
