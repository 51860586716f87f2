//! Support for the test targets of this repository.
