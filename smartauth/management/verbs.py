"""What the commands that serve and work take."""

from oauth.management.verb import Argument, Verb, WholeNumber

SERVE = Verb(
    "serve",
    "Serve as production does, behind a proxy that ends TLS. Migrate and seed first.",
    (
        Argument("--host", "Address to listen on.", default="127.0.0.1"),
        Argument("--port", "Port to listen on.", type=WholeNumber(1, 65_535), default=8000),
        Argument("--processes", "One for each core.", type=WholeNumber(1), default=1),
    ),
    examples=("smartauth serve --host 0.0.0.0 --processes 4",),
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
