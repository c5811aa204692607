"""Every way in which access ends out of turn, and the reasons in words."""
