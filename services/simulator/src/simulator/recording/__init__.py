"""Recording: writes real traffic to a file, and plays a file back."""
