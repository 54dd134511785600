"""Pure decisions, one noun a file. Imports only `eventsourcing.domain`; no clock, no I/O, no wire format."""
