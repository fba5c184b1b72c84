"""Trainings that a server runs, each in a process of its own."""
