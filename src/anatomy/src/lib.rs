//! Tissues, patients, vessel graphs, standard planes and the import of real anatomy.
