"""Trainings that a server runs, each in its own process."""
