"""The commands: each parses its options, runs a job, and prints."""
