"""What programs and the page ask the service for, over HTTP: `docs/rest.md`."""
