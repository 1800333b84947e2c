//! Sans-I/O SMTP: commands, replies, extensions, server and client state machines.
