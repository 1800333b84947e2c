//! Delivery status notifications (RFC 3464, 3461, 6522).
