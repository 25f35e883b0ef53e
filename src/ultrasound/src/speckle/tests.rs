use super::*;

fn tile(center: [f64; 3], half: f64) -> Tile {
    Tile {
        center: Vector3::from(center),
        axes: Matrix3::identity(),
        half_mm: [half; 3],
    }
}

/// All scatterers whose cells touch the tile.
fn gather(scatterers: &mut Scatterers, lattice: &Lattice, level: u32, tile: &Tile) {
    let cells = scatterers.list(lattice, level, tile);
    scatterers.settle(lattice, level, tile, 0..cells);
}

/// Scatterers inside the tile, as tissue coordinates in lattice steps, sorted.
fn inside(lattice: &Lattice, level: u32, tile: &Tile) -> Vec<[i64; 3]> {
    let mut scatterers = Scatterers::default();
    gather(&mut scatterers, lattice, level, tile);
    let mut places: Vec<[i64; 3]> = (0..scatterers.mark.len())
        .map(|i| [0, 1, 2].map(|axis| f64::from(scatterers.place[axis][i])))
        .filter(|place| (0..3).all(|axis| place[axis].abs() < tile.half_mm[axis]))
        .map(|place| [0, 1, 2].map(|axis| ((place[axis] + tile.center[axis]) * 1e3).round() as i64))
        .collect();
    places.sort_unstable();
    places
}

#[test]
fn every_level_has_half_the_scatterers_of_the_one_below_and_they_are_among_them() {
    let lattice = Lattice::new(30.0, 7);
    let tile = tile([12.0, -33.0, 250.0], 6.0);
    let volume = 12.0f64.powi(3);
    let mut below = inside(&lattice, 0, &tile);
    for level in 1..=5 {
        let here = inside(&lattice, level, &tile);
        let expected = lattice.density(level) * volume;
        let spread = 4.0 * expected.sqrt();
        assert!(
            (here.len() as f64 - expected).abs() < spread,
            "level {level}: {}",
            here.len()
        );
        let missing = here
            .iter()
            .filter(|place| below.binary_search(place).is_err());
        assert_eq!(missing.count(), 0, "level {level}");
        below = here;
    }
}

#[test]
fn what_a_level_marks_as_kept_is_what_the_next_one_has() {
    let lattice = Lattice::new(20.0, 3);
    let tile = tile([0.0, 5.0, 9.0], 5.0);
    for level in 0..4 {
        let mut scatterers = Scatterers::default();
        gather(&mut scatterers, &lattice, level, &tile);
        let kept = (0..scatterers.mark.len())
            .filter(|&i| scatterers.mark[i].abs() == 1.0)
            .filter(|&i| (0..3).all(|axis| scatterers.place[axis][i].abs() < 5.0))
            .count();
        assert_eq!(
            kept,
            inside(&lattice, level + 1, &tile).len(),
            "level {level}"
        );
    }
}

#[test]
fn a_scatterer_is_the_same_whatever_the_tile() {
    let lattice = Lattice::new(20.0, 1);
    let whole = inside(&lattice, 2, &tile([0.0; 3], 6.0));
    let turn = nalgebra::Rotation3::from_euler_angles(0.3, -0.7, 1.1);
    let turned = Tile {
        center: Vector3::zeros(),
        axes: *turn.matrix(),
        half_mm: [12.0; 3],
    };
    let mut scatterers = Scatterers::default();
    gather(&mut scatterers, &lattice, 2, &turned);
    let mut places: Vec<[i64; 3]> = (0..scatterers.mark.len())
        .map(|i| [0, 1, 2].map(|axis| f64::from(scatterers.place[axis][i])))
        .filter(|place| place.iter().all(|c| c.abs() < 6.0))
        .map(|place| place.map(|c| (c * 1e3).round() as i64))
        .collect();
    places.sort_unstable();
    assert_eq!(places, whole);
}

#[test]
fn scatterers_fill_space_evenly_and_do_not_repeat() {
    let lattice = Lattice::new(10.0, 5);
    let places = inside(&lattice, 0, &tile([0.0; 3], 15.0));
    // Octants hold equal shares.
    let mut octants = [0usize; 8];
    for place in &places {
        let index = (0..3)
            .map(|a| usize::from(place[a] > 0) << a)
            .sum::<usize>();
        octants[index] += 1;
    }
    let mean = places.len() as f64 / 8.0;
    for count in octants {
        assert!(
            (count as f64 - mean).abs() < 5.0 * mean.sqrt(),
            "{octants:?}"
        );
    }
    // No shift by whole cells maps the field onto itself.
    let fractions: std::collections::BTreeSet<[i64; 3]> = places
        .iter()
        .map(|p| p.map(|c| c.rem_euclid((lattice.cell_mm * 1e3) as i64)))
        .collect();
    assert!(fractions.len() > places.len() * 99 / 100);
}
