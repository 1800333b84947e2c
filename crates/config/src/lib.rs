//! The configuration file: reading, checking and showing it.
