"""Run the command line as `python -m insonate`."""

from insonate.app.cli import main

if __name__ == "__main__":
    main()
