//! Routes: from an address to the destination it goes to.
