//! Real mail servers and clients of Debian, run privately for the tests.
