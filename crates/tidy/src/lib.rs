//! Tests that hold the workspace to its own rules: see `tests/`.
