"""The command `smartauth`: verbs with help and completion in front of the commands that manage.py runs."""
