"""Mail: what one message says, which messages are one thread, and which of its text its author wrote."""
