//! The receiving role: SMTP sessions in, durable messages out.
