"""What the commands that serve and work take."""

from oauth.management.verb import AS_JSON, Argument, Verb, WholeNumber

SERVE = Verb(
    "serve",
    "Serve as production does: behind a proxy that ends TLS, or with a certificate. Migrate and seed first.",
    (
        Argument("--host", "Address to listen on.", default="127.0.0.1"),
        Argument("--port", "Port to listen on.", type=WholeNumber(1, 65_535), default=8000),
        Argument("--processes", "One for each core.", type=WholeNumber(1), default=1),
        Argument("--tls-certificate", "Speak TLS: the chain in PEM. It is read again when it changes.", metavar="FILE"),
        Argument("--tls-key", "Its private key in PEM, without a password.", metavar="FILE"),
    ),
    examples=(
        "smartauth serve --host 0.0.0.0 --processes 4",
        "smartauth serve --host 0.0.0.0 --port 443 --tls-certificate chain.pem --tls-key key.pem",
    ),
)
WORKER = Verb(
    "worker",
    "Run the task worker: it moves events to the audit database, rotates keys and deletes what is over.",
    (
        Argument("--no-schedule", "A further worker: another one calls what is due.", is_flag=True),
        Argument("--log-level", choices=("ERROR", "WARNING", "INFO", "DEBUG"), default="INFO"),
    ),
    examples=("smartauth worker", "smartauth worker --no-schedule"),
)
BACKUP = Verb(
    "backup",
    "Copy both databases into a new folder, while the servers run.",
    (
        Argument("folder", "A new folder."),
        Argument("--json", "Print JSON for a script.", is_flag=True),
    ),
    examples=("smartauth backup /var/backups/smartauth/2026-11-29",),
)
RESTORE = Verb(
    "restore",
    "Put the main database back as a backup has it. Everything that was granted ends: what was taken back since then "
    "would live again.",
    (
        Argument("folder", "Of the backup."),
        Argument("--with-trail", "The trail of security events too; without it the trail goes on.", is_flag=True),
        Argument("--yes", "Do it: what the databases hold now is lost.", is_flag=True),
        Argument("--json", "Print JSON for a script.", is_flag=True),
    ),
    examples=("smartauth restore /var/backups/smartauth/2026-11-29 --yes",),
)
FHIR_AUDIT = Verb(
    "fhir-audit",
    "What the bundled FHIR server recorded: AuditEvent and Provenance as NDJSON; cutting off what is old.",
    actions=(
        Verb(
            "export",
            "Print one resource a line, the oldest first; on the error output how many, until when none is missing.",
            (
                Argument("--type", "Which resources.", choices=("AuditEvent", "Provenance"), default="AuditEvent"),
                Argument("--fhir-version", "Of which base.", choices=("dstu2", "stu3", "r4"), default="r4"),
                Argument("--since", "From this day or time on.", "TIME"),
                Argument("--until", "Before this day or time.", "TIME"),
            ),
            examples=("smartauth fhir-audit export --since 2026-11-01 --until 2026-12-01 > november.ndjson",),
        ),
        Verb(
            "cut",
            "Delete what is older. Only with the role that owns the audit database; the server itself may not.",
            (
                Argument("--before", "What happened before this day or time.", "TIME", is_required=True),
                Argument("--yes", "Do it: what is cut is gone.", is_flag=True),
                AS_JSON,
            ),
            examples=("smartauth fhir-audit cut --before 2020-01-01 --yes",),
        ),
    ),
)
RESTORED_SQL = Verb(
    "restored-sql",
    "Print the SQL that must be committed together with a restore by other means: what was granted ends by it.",
    (
        Argument(
            "--before",
            "What goes before instead: it drops all that the role owns of tables, views, sequences and functions.",
            is_flag=True,
        ),
    ),
    examples=(
        "smartauth restored-sql --before > emptying.sql",
        "smartauth restored-sql > ending.sql",
        "(echo 'BEGIN;' && cat emptying.sql && pg_restore --clean --if-exists -f - main && cat ending.sql &&"
        " echo 'COMMIT;') | psql -v ON_ERROR_STOP=1 smartauth",
    ),
)
