"""`python -m lawful` is the `lawful` command."""

from .cli import main

if __name__ == "__main__":
    main()
