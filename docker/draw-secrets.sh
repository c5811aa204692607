#!/bin/sh
# Draws what docker/compose.yaml needs to know and nobody else, one file each, into docker/secrets or the named folder.
# The folder is for its owner alone; the files are readable to all, since a container reads them as another account.
# Nothing is written over: a lost key cannot be drawn again.
set -eu
folder=${1:-$(dirname "$0")/secrets}
umask 077
mkdir -p "$folder"

keep() { # keep NAME TEXT: the file as it is, or with this text
  if [ ! -e "$folder/$1" ]; then
    printf '%s\n' "$2" >"$folder/$1.draft"
    chmod 444 "$folder/$1.draft"
    mv "$folder/$1.draft" "$folder/$1"
  fi
}
draw() { head -c 32 /dev/urandom | base64 | tr '+/' '-_'; } # a Fernet key, and a secret as good as any
password() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

keep secret_key "$(draw)"
keep key_encryption_keys "$(draw)"
keep postgres_password "$(password)"
keep serving_password "$(password)"
keep owner_password "$(password)"
for role in serving owner; do
  if [ $role = serving ]; then user=smartauth; else user=smartauth_owner; fi
  keep "${role}_database_url" "postgresql://$user:$(cat "$folder/${role}_password")@postgres/smartauth"
  keep "${role}_audit_database_url" "postgresql://$user:$(cat "$folder/${role}_password")@postgres/smartauth_audit"
done
echo "$folder holds $(ls "$folder" | wc -l) secrets. Keep a copy of key_encryption_keys apart from the backups of the database."
