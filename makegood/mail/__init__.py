"""The door by which letters come in: fetched by IMAP, piped by a mail server, pushed by a provider. It stores, and asks the desk."""
