"""The page of a server at `/`: what its scripts ask for, and the files that a browser loads.

Everything that it shows is made by the jobs of the commands. The pieces of a result are those of
the report, and the charts are drawn by the same script.
"""
