"""`python -m lstmcast` runs the command `lstmcast`."""

from lstmcast.cli.app import main

if __name__ == "__main__":
    main()
