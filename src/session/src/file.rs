//! What identifies a patient in a recording.

use anatomy::Patient;
use recording::Digest;

/// A digest of all of a patient that pictures and scores depend on: surfaces, tissues, priorities,
/// planes, loose scatterers.
pub fn patient_digest(patient: &Patient) -> u64 {
    let mut digest = Digest::default();
    for structure in &patient.structures {
        digest.text(&structure.id);
        digest.number(u64::from(structure.priority as u32));
        digest.text(&format!("{:?}", structure.tissue));
        for vertex in structure.surface.vertices() {
            vertex.iter().for_each(|c| {
                digest.bytes(&c.to_le_bytes());
            });
        }
        for triangle in structure.surface.triangles() {
            triangle.iter().for_each(|corner| {
                digest.bytes(&corner.to_le_bytes());
            });
        }
    }
    for (_, plane) in &patient.planes {
        digest.text(&plane.id);
        let directions = [plane.lateral.to_array(), plane.depth.to_array()];
        for value in plane
            .center
            .to_array()
            .into_iter()
            .chain(directions.concat())
        {
            digest.float(value);
        }
    }
    let scatterers = &patient.scatterers;
    for (place, amplitude) in scatterers.places_mm.iter().zip(&scatterers.amplitudes) {
        for value in place.iter().chain([amplitude]) {
            digest.bytes(&value.to_le_bytes());
        }
    }
    digest.value()
}
