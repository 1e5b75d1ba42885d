//! Dovecot for a test.
