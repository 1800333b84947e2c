//! The durable queue on SQLite, and large bodies in files.
