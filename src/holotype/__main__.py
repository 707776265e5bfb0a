"""``python -m holotype``: the command line, where its script is not on the path."""

from holotype.cli.app import main

if __name__ == "__main__":
    main()
