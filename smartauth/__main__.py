"""`python -m smartauth`: the command where it is not installed."""

from smartauth.command_line.main import main

if __name__ == "__main__":
    main()
