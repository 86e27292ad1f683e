"""What recording costs, and how fast a large history answers."""
