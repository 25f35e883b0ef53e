//! Closedness, orientation, self-intersection and genus checks that say where.
