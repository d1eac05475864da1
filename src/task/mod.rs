//! Tasks: calls to be made elsewhere.
