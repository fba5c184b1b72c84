"""What people look at: plots, learning curves, reports."""
