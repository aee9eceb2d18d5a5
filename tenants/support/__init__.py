"""Letting an operator look into a firm: its owner allows it for a while, each step is kept, it ends by itself."""
