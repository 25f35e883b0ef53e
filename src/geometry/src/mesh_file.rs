//! Mesh files: STL, OBJ, PLY, GLB; and 3D Slicer markups.
