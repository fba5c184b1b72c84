"""The page of a server at `/`: the requests of its scripts, and the files that a browser loads.

Everything that it shows is made by the jobs of the commands. The parts of a result are those of the
report, and the charts are drawn by the same script.
"""
