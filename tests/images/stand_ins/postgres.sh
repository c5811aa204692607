#!/bin/sh
# As the image of PostgreSQL begins: a cluster in its volume, the scripts of /docker-entrypoint-initdb.d while nobody
# else can connect, then the server.
set -eu
data=/var/lib/postgresql/data
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

install -d -o postgres /var/run/postgresql
if [ ! -s $data/PG_VERSION ]; then
  install -d -m 700 -o postgres -g postgres $data
  as_postgres initdb --pgdata=$data --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" \
    --auth-local=trust --auth-host=scram-sha-256
  echo 'host all all all scram-sha-256' >>$data/pg_hba.conf
  as_postgres pg_ctl --pgdata=$data --wait -o "-c listen_addresses=''" start
  for script in /docker-entrypoint-initdb.d/*.sh; do as_postgres env POSTGRES_USER=postgres sh "$script"; done
  as_postgres pg_ctl --pgdata=$data --wait stop
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups "$@" -D $data -c listen_addresses='*'
