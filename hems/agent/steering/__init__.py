"""From what a gateway knows to what its battery does."""
