//! Against files made by hand.
