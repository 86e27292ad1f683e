"""Recording: real traffic to a file, and a file to traffic again."""
