//! Many surfaces, one ray: every crossing in order, nesting resolved.
