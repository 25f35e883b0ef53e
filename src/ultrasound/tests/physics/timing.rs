//! When echoes come.

use ultrasound::engine::View;

use crate::world::*;

const WATER: Stuff = Stuff::clear("water", 1000.0, 1540.0);

#[test]
fn points_behind_layers_come_at_the_time_that_the_layers_take() {
    let fat = Stuff::clear("fat", 950.0, 1478.0).lossy(0.63).bright(-9.0);
    let muscle = Stuff::clear("muscle", 1050.0, 1558.5)
        .lossy(0.96)
        .bright(-8.0);
    let liver = Stuff::clear("liver", 1060.0, 1595.0).lossy(0.5).bright(0.0);
    let plastic = Stuff::clear("plastic", 1180.0, 2670.0).lossy(1.3);
    let rubber = Stuff::clear("rubber", 1070.0, 1020.0).lossy(3.0);
    let stacks: [(&str, &[(Stuff, f64)]); 4] = [
        ("30 mm of fat", &[(fat, 30.0), (WATER, 10.0)]),
        (
            "fat, muscle, liver",
            &[(fat, 15.0), (muscle, 12.0), (liver, 20.0)],
        ),
        (
            "3 mm of plastic",
            &[(WATER, 10.0), (plastic, 3.0), (WATER, 20.0)],
        ),
        (
            "2 mm of rubber",
            &[(WATER, 15.0), (rubber, 2.0), (liver, 15.0)],
        ),
    ];
    for (probe, depth_mm) in [("L12-3v", 60.0), ("C5-2v", 80.0)] {
        let mut imager = imager(probe, &console(depth_mm, 40.0, 2048));
        let mut worst: f64 = 0.0;
        for (_, layers) in stacks {
            let mut world = World::of(layers[0].0);
            let (mut z, mut expected) = (0.0, 0.0);
            for (index, (stuff, thickness)) in layers.iter().enumerate() {
                if index > 0 {
                    world = world.below(*stuff, z, 0.0);
                }
                z += thickness;
                expected += thickness * 1540.0 / stuff.speed_m_s;
            }
            let frame = look_at(&mut imager, &world.point([0.0, 0.0, z], 30.0));
            let look = &frame.looks[0];
            let (_, at, _) = spot(look, 50..78, (expected - 1.5, expected + 1.5));
            worst = worst.max((at - expected).abs());
        }
        figure(
            &format!("{probe}: range of points behind 4 stacks of layers, against sum of d 1540/c"),
            "within 0.1 mm",
            &format!("{worst:.3} mm"),
        );
        assert!(worst < 0.1);
    }
}

#[test]
fn points_below_a_body_wall_seem_deeper() {
    // Skin to 2 mm, fat to 32, muscle to 47, liver.
    let (_, medium) = recipe("phantom-layers");
    let mut imager = imager("C5-2v", &console(130.0, 80.0, 2048));
    let frame = imager.frame(&medium, &View::at(on_object(0.0, 0.0)));
    let look = &frame.looks[0];
    let mut worst: f64 = 0.0;
    for depth in [60.0, 80.0, 100.0, 120.0] {
        let wall = 2.0 * 1540.0 / 1615.0 + 30.0 * 1540.0 / 1478.0 + 15.0 * 1540.0 / 1558.5;
        let expected = wall + (depth - 47.0) * 1540.0 / 1595.0;
        let (_, at, _) = spot(look, 54..74, (expected - 1.5, expected + 1.5));
        worst = worst.max((at - expected).abs());
    }
    figure(
        "points at 60 to 120 mm below skin, 30 mm of fat, muscle, in liver",
        "within 0.1 mm",
        &format!("{worst:.3} mm"),
    );
    assert!(worst < 0.1);
}
