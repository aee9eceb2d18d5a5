"""What authors of plugins work with: the surface they may rely on, and checks of a plugin."""
