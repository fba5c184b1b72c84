"""Output for people: plots, learning curves, reports, workbooks."""
