#!/bin/sh
# The two databases and their roles, made once by a superuser: PGUSER or POSTGRES_USER, else postgres.
# `smartauth` serves and owns the main database; it may read and add to the trail, never change or delete there (SD-10).
# `smartauth_audit` owns the trail and is used by `manage.py migrate --database audit` alone.
set -eu

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${PGUSER:-${POSTGRES_USER:-postgres}}" --dbname postgres \
  --set serving="$SMARTAUTH_PASSWORD" --set owning="$SMARTAUTH_AUDIT_PASSWORD" <<'SQL'
CREATE ROLE smartauth LOGIN PASSWORD :'serving';
CREATE ROLE smartauth_audit LOGIN PASSWORD :'owning';
CREATE DATABASE smartauth OWNER smartauth;
CREATE DATABASE smartauth_audit OWNER smartauth_audit;
REVOKE ALL ON DATABASE smartauth, smartauth_audit FROM PUBLIC;
GRANT CONNECT ON DATABASE smartauth_audit TO smartauth;
\connect smartauth
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO smartauth;
\connect smartauth_audit
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO smartauth_audit;
GRANT USAGE ON SCHEMA public TO smartauth;
ALTER DEFAULT PRIVILEGES FOR ROLE smartauth_audit IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO smartauth;
ALTER DEFAULT PRIVILEGES FOR ROLE smartauth_audit IN SCHEMA public GRANT USAGE ON SEQUENCES TO smartauth;
SQL
