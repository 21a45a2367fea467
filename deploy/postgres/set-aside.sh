#!/bin/sh
# Before a restore: the database gets a name with the time in it, and an empty one takes its place.
#   docker compose exec database set-aside
# While the service runs PostgreSQL refuses, and nothing is changed.
set -eu
PGPASSWORD=$(cat /run/secrets/database-password)
export PGPASSWORD
aside="${POSTGRES_DB}_$(date -u +%Y%m%d_%H%M%S)"
psql --quiet --set ON_ERROR_STOP=1 --set present="$POSTGRES_DB" --set aside="$aside" \
  --username "$POSTGRES_USER" --dbname postgres --output /dev/null << 'SQL'
-- Grafana only reads, and stays connected.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'grafana';
ALTER DATABASE :"present" RENAME TO :"aside";
CREATE DATABASE :"present";
SQL
/docker-entrypoint-initdb.d/reader.sh
echo "what was in $POSTGRES_DB is in $aside; $POSTGRES_DB is empty"
