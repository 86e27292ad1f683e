"""Why one pillow is grey: facts from each part of the way, and the first cause among them."""
