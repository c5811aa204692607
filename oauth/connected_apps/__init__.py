"""`/apps`: what a person has allowed, and the end of it (SMART's `management_endpoint`)."""
