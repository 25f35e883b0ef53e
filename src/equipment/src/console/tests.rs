//! Files made wrong by hand, knobs that do not fit, and the geometry of images by hand.

use proptest::prelude::*;

use super::*;
use crate::Probe;

fn probe(name: &str) -> &'static Probe {
    Probe::named(name).unwrap_or_else(|error| panic!("{error}"))
}

/// What is said of settings with these fields.
fn said(fields: &str) -> String {
    let text = format!("Settings(version: 1,\n{fields})");
    let error = Console::parse(&text, "s.ron").err();
    error.map_or("nothing".to_owned(), |error| error.to_string())
}

#[test]
fn an_empty_file_holds_the_defaults() {
    let console = Console::parse("Settings(version: 1)", "s.ron").unwrap();
    assert_eq!(console, Console::default());
    assert_eq!((console.depth_mm, console.lines), (160.0, 128));
    assert_eq!(console.tgc_db, [0.0; 8]);
    console.fit(probe("C5-2v")).unwrap();
}

#[test]
fn every_fault_of_the_sliders_is_said() {
    assert_eq!(
        said("tgc_db: [0, 0, 0]"),
        "s.ron:2:9: time gain compensation has 3 sliders; expected 8 values in dB, from the face to \
         the full depth"
    );
    assert_eq!(
        said("tgc_db: [0, 0, 50, 0, 0, 0, 0, -41]"),
        "s.ron:2:16: slider 3 stands at 50 dB; expected -40 to 40 dB\n\
         s.ron:2:32: slider 8 stands at -41 dB; expected -40 to 40 dB"
    );
}

#[test]
fn every_fault_of_the_foci_is_said() {
    assert_eq!(
        said("transmit: Focused(foci_mm: [])"),
        "s.ron:2:28: no focus is given; expected one at least, as `[60]`"
    );
    assert_eq!(
        said("transmit: Focused(foci_mm: [1, 2, 3, 4, 5, 6, 7, 8, 9])"),
        "s.ron:2:28: there are 9 foci; expected at most 8"
    );
    assert_eq!(
        said("transmit: Focused(foci_mm: [0, 40, 40])"),
        "s.ron:2:29: the focus at 0 mm is not in front of the face; expected a depth above 0 mm\n\
         s.ron:2:36: the focus at 40 mm is not deeper than the one before it; expected foci that ascend"
    );
    assert_eq!(
        said("transmit: Focused(foci_mm: [40], f_number: 0.1)"),
        "s.ron:2:44: `f_number`: expected a number from 0.3 to 20, found the number 0.1"
    );
}

#[test]
fn every_fault_of_the_waves_is_said() {
    assert_eq!(
        said("transmit: PlaneWaves(angles_deg: [])"),
        "s.ron:2:34: no angle is given; expected one at least, as `[0]`"
    );
    assert_eq!(
        said("transmit: DivergingWaves(behind_mm: 10, angles_deg: [0, 61])"),
        "s.ron:2:57: a wave at 61° goes too far aside; expected -60 to 60°"
    );
    let many = format!("transmit: PlaneWaves(angles_deg: [{}])", "1,".repeat(129));
    assert_eq!(
        said(&many),
        "s.ron:2:34: there are 129 waves; expected at most 128"
    );
    assert_eq!(
        said("transmit: DivergingWaves(behind_mm: 0, angles_deg: [0])"),
        "s.ron:2:37: `behind_mm`: expected a number above 0, found the number 0"
    );
}

#[test]
fn every_fault_of_the_looks_is_said() {
    assert_eq!(
        said("compounding_deg: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"),
        "s.ron:2:18: 10 looks are compounded; expected at most 9"
    );
    assert_eq!(
        said("steering_deg: 20, compounding_deg: [-20, 30]"),
        "s.ron:2:42: the look at 30° turns the lines to 50°; expected -45 to 45° together with \
         `steering_deg`"
    );
    assert_eq!(
        said("compounding_deg: [0, 5, 5]"),
        "s.ron:2:19: the look at 0° is there twice; expected angles other than 0, the straight look, \
         and each once\n\
         s.ron:2:25: the look at 5° is there twice; expected angles other than 0, the straight look, \
         and each once"
    );
}

#[test]
fn ranges_and_names_are_held_to() {
    assert_eq!(
        said("depth_mm: 500, gain_dB: 3, gray_map: Lin"),
        "s.ron:2:11: `depth_mm`: expected a number from 2 to 400, found the number 500\n\
         s.ron:2:16: unknown field `gain_dB`; did you mean `gain_db`?\n\
         s.ron:2:38: `Lin` is no `GrayMap`; expected one of `Linear`, `Contrast`, `Soft`; did you \
         mean `Linear`?"
    );
    // The range that probes are held to.
    assert_eq!(said("depth_mm: 2"), "nothing");
    assert_eq!(said("depth_mm: 400"), "nothing");
    assert!(said("depth_mm: 1.9").contains("from 2 to 400"));
    assert!(said("effects: (refractoin: false)").contains("did you mean `refraction`?"));
    assert!(said("apodization: Tukey(taper: 2)").contains("from 0 to 1"));
    assert!(said("zoom: (center_mm: (0, 5), height_mm: 0)").contains("above 0"));
}

/// A fault of every kind at once.
#[test]
fn all_faults_come_at_once() {
    let fields = "tgc_db: [1],\nlines: 2,\ntransmit: PlaneWaves(angles_deg: [70]),\n\
                  compounding_deg: [50],\npersistence: 1";
    let text = format!("Settings(version: 1,\n{fields})");
    let Err(EquipmentError::File(error)) = Console::parse(&text, "s.ron") else {
        panic!("it is full of faults");
    };
    let lines: Vec<usize> = error.faults().iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6], "{error}");
}

fn unfit(console: &Console, name: &str) -> Vec<String> {
    match console.fit(probe(name)) {
        Ok(()) => Vec::new(),
        Err(EquipmentError::Unfit { misfits, .. }) => {
            misfits.iter().map(Misfit::to_string).collect()
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn every_misfit_is_said_with_its_mend() {
    let plain = Console::default;
    let cases = [
        (
            Console {
                depth_mm: 20.0,
                transmit: focused(&[10.0]),
                ..plain()
            },
            "C5-2v",
            "`depth_mm`: the probe does not offer 20 mm; set 40 to 300 mm",
        ),
        (
            Console {
                frequency_mhz: Some(9.0),
                ..plain()
            },
            "C5-2v",
            "`frequency_mhz`: 9 MHz is outside the probe's band; set one of 2.5, 3, 3.57, 4.5, 5 MHz, \
             or any from 1.79 to 5.35 MHz",
        ),
        (
            Console {
                transmit: focused(&[60.0, 321.0]),
                ..plain()
            },
            "C5-2v",
            "`transmit`: a focus at 321 mm lies far behind an image of 160 mm; set foci of at most \
             320 mm, or more depth",
        ),
        (
            Console {
                steering_deg: 10.0,
                ..plain()
            },
            "P4-2v",
            "`steering_deg`: only the parallel lines of a linear array can be steered; set 0",
        ),
        (
            Console {
                compounding_deg: vec![-10.0, 10.0],
                ..plain()
            },
            "C5-2v",
            "`compounding_deg`: only looks of a linear array can be compounded; set `[]`",
        ),
        (
            Console {
                lines: 1024,
                samples: 8192,
                ..plain()
            },
            "C5-2v",
            "`samples`: 1024 lines of 8192 samples are more than a frame can hold; set at most 4096 \
             samples, or fewer lines",
        ),
        (
            Console {
                transmit: Transmit::PlaneWaves {
                    angles_deg: vec![0.0],
                },
                depth_mm: 10.0,
                ..plain()
            },
            "ivus",
            "`transmit`: a single element that turns makes no plane or diverging waves; set `Focused`",
        ),
        (
            Console {
                zoom: Some(Zoom {
                    center_mm: (0.0, 150.0),
                    height_mm: 40.0,
                }),
                ..plain()
            },
            "P4-2v",
            "`zoom`: its middle at x 0 mm and depths 130 to 170 mm go beyond the image; keep to x \
             -113.1 to 113.1 mm and depths 0.0 to 160.0 mm",
        ),
    ];
    for (console, name, expected) in cases {
        assert_eq!(unfit(&console, name), [expected], "{name}");
    }
}

fn focused(foci_mm: &[f64]) -> Transmit {
    Transmit::Focused {
        foci_mm: foci_mm.to_vec(),
        f_number: None,
    }
}

#[test]
fn knobs_set_by_a_program_are_held_to_the_rules_of_files() {
    let console = Console {
        depth_mm: f64::NAN,
        transmit: focused(&[]),
        tgc_db: vec![0.0; 7],
        persistence: 2.0,
        ..Console::default()
    };
    let Err(EquipmentError::Unfit { misfits, .. }) = console.fit(probe("C5-2v")) else {
        panic!("it is full of faults");
    };
    let knobs: Vec<&str> = misfits.iter().map(|misfit| &*misfit.knob).collect();
    assert_eq!(
        knobs,
        ["depth_mm", "persistence", "tgc_db", "transmit"],
        "{misfits:?}"
    );

    let console = Console {
        transmit: focused(&[]),
        tgc_db: vec![0.0; 7],
        ..Console::default()
    };
    assert_eq!(
        unfit(&console, "C5-2v"),
        [
            "`tgc_db`: time gain compensation has 7 sliders; set 8 values in dB, from the face to the \
             full depth",
            "`transmit`: no focus is given; set one at least, as `[60]`",
        ]
    );
}

#[test]
fn misfits_come_together_and_are_told_by_the_probe() {
    let console = Console {
        depth_mm: 20.0,
        steering_deg: 5.0,
        frequency_mhz: Some(20.0),
        ..Console::default()
    };
    assert_eq!(unfit(&console, "P4-2v").len(), 4);
    let error = console.fit(probe("P4-2v")).unwrap_err().to_string();
    assert!(error.starts_with("the settings do not fit the probe `P4-2v`:\n  `depth_mm`"));
}

#[test]
fn misfits_of_a_file_are_told_with_their_places() {
    let said = |text: &str| {
        let error = Console::parse_for(text, "set.ron", probe("P4-2v")).unwrap_err();
        assert!(matches!(error, EquipmentError::UnfitFile { .. }));
        error.to_string()
    };
    let expected = "the settings do not fit the probe `P4-2v`:\n\
        set.ron:3:15: `depth_mm`: the probe does not offer 20 mm; expected 40 to 240 mm\n\
        set.ron:3:33: `steering_deg`: only the parallel lines of a linear array can be steered; \
        expected 0";
    let text = "Settings(\n    version: 1, transmit: Focused(foci_mm: [30]),\n    depth_mm: 20, \
        steering_deg: 5)";
    assert_eq!(said(text), expected);

    // What a preset sets is told where the preset is named, a default at the whole.
    let of_preset = said("Settings(version: 1, preset: \"ivus\", frequency_mhz: None)");
    assert!(
        of_preset.contains("set.ron:1:30: `depth_mm`, as the preset sets it: the probe"),
        "{of_preset}"
    );
    let left_out = said("Settings(version: 1, depth_mm: 20)");
    assert!(
        left_out.contains("set.ron:1:1: `transmit`, which the file leaves out: a focus at 60 mm"),
        "{left_out}"
    );

    let fitting = "Settings(version: 1, depth_mm: 100)";
    assert_eq!(
        Console::parse_for(fitting, "set.ron", probe("P4-2v")).unwrap(),
        Console::parse(fitting, "set.ron").unwrap()
    );
    // What is wrong whatever the probe comes first.
    let wrong = Console::parse_for("Settings(version: 1, gain: 3)", "s.ron", probe("ivus"));
    assert!(matches!(wrong, Err(EquipmentError::File(_))), "{wrong:?}");
}

/// By hand: a linear image is as wide as its array, a steered one leans by depth · sin; a sector of
/// 90° is as wide as √2 depths; a curved one begins below 0 at its ends; a ring goes all round.
#[test]
fn images_are_as_large_as_their_geometry_says() {
    let close = |extent: Extent, x: (f64, f64), z: (f64, f64)| {
        let got = [extent.x_mm.0, extent.x_mm.1, extent.z_mm.0, extent.z_mm.1];
        let expected = [x.0, x.1, z.0, z.1];
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-9, "{extent:?}, not {x:?} {z:?}");
        }
    };
    let console = Console {
        depth_mm: 40.0,
        ..Console::default()
    };
    let linear = probe("L11-5v");
    close(console.extent_mm(linear), (-19.2, 19.2), (0.0, 40.0));
    let steered = Console {
        steering_deg: -30.0,
        ..console.clone()
    };
    let deep = 40.0 * 0.75_f64.sqrt();
    close(steered.extent_mm(linear), (-39.2, 19.2), (0.0, deep));
    let left = Console {
        width: 0.5,
        center: -1.0,
        ..console.clone()
    };
    close(left.extent_mm(linear), (-19.2, 0.0), (0.0, 40.0));
    let half = 40.0 * 0.5_f64.sqrt();
    close(
        console.extent_mm(probe("P4-2v")),
        (-half, half),
        (0.0, 40.0),
    );

    let curved = probe("C5-2v");
    let angle = curved.opening_rad() / 2.0;
    let (radius, far) = (49.57, 89.57);
    let wide = far * angle.sin();
    let sag = radius * angle.cos() - radius;
    close(console.extent_mm(curved), (-wide, wide), (sag, 40.0));

    let ring = Console {
        depth_mm: 10.0,
        ..console
    };
    let r = 10.45;
    close(ring.extent_mm(probe("ivus")), (-r, r), (-r - 0.45, 10.0));
}

#[test]
fn what_is_written_reads_as_the_same() {
    let console = Console {
        frequency_mhz: Some(3.0),
        transmit: Transmit::DivergingWaves {
            behind_mm: 5.0,
            angles_deg: vec![-30.0, 0.0, 30.0],
        },
        receive_f_number: None,
        apodization: Apodization::Tukey { taper: 0.25 },
        gray_map: GrayMap::Soft,
        compounding_deg: vec![-8.0, 8.0],
        zoom: Some(Zoom {
            center_mm: (1.0, 30.0),
            height_mm: 20.0,
        }),
        effects: Effects {
            noise: false,
            ..Effects::default()
        },
        ..Console::default()
    };
    let text = console.to_ron().unwrap();
    assert_eq!(Console::parse(&text, "again").unwrap(), console);
    let default = Console::default().to_ron().unwrap();
    assert_eq!(
        Console::parse(&default, "again").unwrap(),
        Console::default()
    );
    let infinite = Console {
        gain_db: f64::INFINITY,
        ..console
    };
    assert!(infinite.to_ron().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is done to the text, reading and fitting return.
    #[test]
    fn no_text_makes_it_panic(
        (from, length, junk) in (0usize..1100, 0usize..60, "[ -~]{0,12}"),
        which in 0usize..8,
    ) {
        let good = Console { zoom: Some(Zoom { center_mm: (0.0, 30.0), height_mm: 10.0 }), ..Console::default() };
        let good = good.to_ron().unwrap();
        let boundary = |at: usize| good.floor_char_boundary(at.min(good.len()));
        let (start, end) = (boundary(from), boundary(from + length));
        let text = format!("{}{junk}{}", &good[..start], &good[end..]);
        if let Ok(console) = Console::parse(&text, "s.ron") {
            let _ = console.fit(&Probe::all_builtin()[which]);
        }
    }

    /// Knobs at any numbers at all are fitted or refused; what fits can be written and read.
    #[test]
    fn no_number_makes_it_panic(
        (depth_mm, width, center, focus) in any::<(f64, f64, f64, f64)>(),
        (lines, samples) in any::<(u32, u32)>(),
        zoom in any::<Option<(f64, f64, f64)>>(),
        which in 0usize..8,
    ) {
        let console = Console {
            depth_mm, width, center, lines, samples,
            transmit: Transmit::Focused { foci_mm: vec![focus], f_number: Some(focus) },
            zoom: zoom.map(|(x, z, height_mm)| Zoom { center_mm: (x, z), height_mm }),
            ..Console::default()
        };
        if console.fit(&Probe::all_builtin()[which]).is_ok() {
            let text = console.to_ron().unwrap();
            prop_assert_eq!(Console::parse(&text, "s.ron").unwrap(), console);
        }
    }
}
