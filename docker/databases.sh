#!/bin/sh
# The two databases and their roles, made once by a superuser: PGUSER or POSTGRES_USER, else postgres.
# `smartauth` serves: it reads and writes the rows of the main database, reads the trail and adds to it, and owns
# nothing (SD-10). `smartauth_owner` owns both and is used by `smartauth migrate` alone.
# The passwords: SMARTAUTH_PASSWORD and SMARTAUTH_OWNER_PASSWORD, or files that NAME_FILE names. They are in no list of
# processes, nor in a log that PostgreSQL's own settings ask for.
set -eu

if [ -n "${SMARTAUTH_PASSWORD_FILE:-}" ]; then SMARTAUTH_PASSWORD=$(cat "$SMARTAUTH_PASSWORD_FILE"); fi
if [ -n "${SMARTAUTH_OWNER_PASSWORD_FILE:-}" ]; then SMARTAUTH_OWNER_PASSWORD=$(cat "$SMARTAUTH_OWNER_PASSWORD_FILE"); fi
: "${SMARTAUTH_PASSWORD:?}" "${SMARTAUTH_OWNER_PASSWORD:?}"
export SMARTAUTH_PASSWORD SMARTAUTH_OWNER_PASSWORD

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${PGUSER:-${POSTGRES_USER:-postgres}}" --dbname postgres <<'SQL'
\set serving `printf %s "$SMARTAUTH_PASSWORD"`
\set owning `printf %s "$SMARTAUTH_OWNER_PASSWORD"`
SET log_statement = none;
SET log_min_error_statement = panic;
SET log_min_duration_statement = -1;
SET log_min_duration_sample = -1;
SET log_transaction_sample_rate = 0;
SET debug_print_parse = off;
SET debug_print_rewritten = off;
CREATE ROLE smartauth LOGIN PASSWORD :'serving';
CREATE ROLE smartauth_owner LOGIN PASSWORD :'owning';
CREATE DATABASE smartauth OWNER smartauth_owner;
CREATE DATABASE smartauth_audit OWNER smartauth_owner;
REVOKE ALL ON DATABASE smartauth, smartauth_audit FROM PUBLIC;
GRANT CONNECT ON DATABASE smartauth, smartauth_audit TO smartauth;
\connect smartauth
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO smartauth_owner;
GRANT USAGE ON SCHEMA public TO smartauth;
ALTER DEFAULT PRIVILEGES FOR ROLE smartauth_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO smartauth;
ALTER DEFAULT PRIVILEGES FOR ROLE smartauth_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO smartauth;
\connect smartauth_audit
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO smartauth_owner;
GRANT USAGE ON SCHEMA public TO smartauth;
ALTER DEFAULT PRIVILEGES FOR ROLE smartauth_owner IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO smartauth;
ALTER DEFAULT PRIVILEGES FOR ROLE smartauth_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO smartauth;
SQL
