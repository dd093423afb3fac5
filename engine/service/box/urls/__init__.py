"""What the URL of a page asks for, and the URL of everything that can be asked for."""
