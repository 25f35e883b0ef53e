//! Repair of open or self-crossing surfaces by winding-number remesh.
