#!/bin/sh
# Run by PostgreSQL's image on an empty database, and by set-aside.sh: a user for Grafana that reads and
# cannot write. Tables are made later, by the service; so it is about those to come.
set -eu
{
  cat << 'SQL'
SELECT 'CREATE ROLE grafana LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana') \gexec
SQL
  printf "ALTER ROLE grafana PASSWORD '%s';\n" "$(cat /run/secrets/grafana-database-password)"
  cat << 'SQL'
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '30s';
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO grafana;
SQL
} | psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB"
