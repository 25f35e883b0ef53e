//! Every preset with every probe it is meant for, and probes that nobody thought of.

use catalog::ToNode;
use proptest::prelude::*;

use super::*;
use crate::{Effects, Elevation, Face};

#[test]
fn every_builtin_file_reads() {
    for (id, text) in BUILTIN {
        let preset = read(id, text).unwrap_or_else(|error| panic!("{error}"));
        assert!(!preset.probes.is_empty(), "{id}");
    }
    assert_eq!(
        Console::preset_names().collect::<Vec<_>>().join(" "),
        "abdomen vascular musculoskeletal cardiac endocavity ice ivus plain"
    );
}

#[test]
fn presets_fit_the_probes_they_are_for() {
    for preset in Preset::all_builtin() {
        for id in &preset.probes {
            let probe = Probe::named(id).unwrap_or_else(|error| panic!("{error}"));
            let fit = preset.console.fit(probe);
            fit.unwrap_or_else(|error| panic!("{}: {error}", preset.id));
        }
    }
}

#[test]
fn every_probe_starts_with_what_it_is_made_for() {
    let started = [
        ("C5-2v", "abdomen"),
        ("C5-2-60", "abdomen"),
        ("L11-5v", "vascular"),
        ("L12-3v", "musculoskeletal"),
        ("P4-2v", "cardiac"),
        ("endocavity", "endocavity"),
        ("ice", "ice"),
        ("ivus", "ivus"),
    ];
    assert_eq!(started.len(), Probe::all_builtin().len());
    for (probe, preset) in started {
        let probe = Probe::named(probe).unwrap();
        assert_eq!(Preset::all_for(probe)[0].id, preset, "{probe}");
        assert_eq!(
            Console::default_for(probe),
            Console::preset(preset).unwrap()
        );
    }
}

#[test]
fn the_plain_one_has_speckle_and_nothing_else() {
    let plain = Console::preset("plain").unwrap();
    let only_speckle = Effects {
        refraction: false,
        local_sound_speed: false,
        secondary_paths: false,
        aberration: false,
        clutter: false,
        noise: false,
        flow: false,
        speckle: true,
    };
    assert_eq!(plain.effects, only_speckle);
    assert_eq!((plain.gain_db, plain.compensation_db_cm_mhz), (0.0, 0.0));
    for preset in Preset::all_builtin()
        .iter()
        .filter(|preset| preset.id != "plain")
    {
        assert_eq!(preset.console.effects, Effects::default(), "{}", preset.id);
    }
}

#[test]
fn an_unknown_name_gets_the_nearest_and_all() {
    let error = Console::preset("abdomne").unwrap_err().to_string();
    assert_eq!(
        error,
        "there is no preset `abdomne`; did you mean `abdomen`? (there are `abdomen`, `vascular`, \
         `musculoskeletal`, `cardiac`, `endocavity`, `ice`, `ivus`, `plain`)"
    );
    assert_eq!(
        Preset::builtin("Cardiac").map(|preset| &*preset.id),
        Some("cardiac")
    );
}

#[test]
fn a_preset_for_an_unknown_probe_or_from_a_preset_is_refused() {
    let text = r#"Preset(version: 1, name: (en: "a", zh: "b"), probes: ["C5-2"],
        settings: (preset: "abdomen"))"#;
    let error = read("mine", text).unwrap_err().to_string();
    assert!(
        error.contains("probe `C5-2` is not in the built-in probes"),
        "{error}"
    );
    assert!(error.contains("unknown field `preset`"), "{error}");
}

fn said(fields: &str) -> String {
    let text = format!("Settings(version: 1,\n{fields})");
    let error = Console::parse(&text, "s.ron").err();
    error.map_or("nothing".to_owned(), |error| error.to_string())
}

fn settings(fields: &str) -> Console {
    let text = format!("Settings(version: 1, {fields})");
    Console::parse(&text, "s.ron").unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn settings_name_only_what_differs_from_a_preset() {
    for (id, _) in BUILTIN {
        let preset = Console::preset(id).unwrap();
        assert_eq!(settings(&format!("preset: \"{id}\"")), preset);
        let deeper = Console {
            gain_db: 7.0,
            ..preset
        };
        assert_eq!(settings(&format!("preset: \"{id}\", gain_db: 7")), deeper);
    }
    assert_eq!(settings("preset: None"), Console::default());
    let straight = settings("preset: \"musculoskeletal\", compounding_deg: []");
    assert!(straight.compounding_deg.is_empty());
    assert_eq!(
        settings("preset: \"musculoskeletal\", frequency_mhz: None").frequency_mhz,
        None
    );
}

#[test]
fn a_field_replaces_the_presets_but_effects_one_by_one() {
    let focused = settings("preset: \"abdomen\", transmit: Focused(foci_mm: [50])");
    let whole_aperture = Transmit::Focused {
        foci_mm: vec![50.0],
        f_number: None,
    };
    assert_eq!(focused.transmit, whole_aperture);
    let noisy = settings("preset: \"plain\", effects: (noise: true)").effects;
    assert!(noisy.noise && noisy.speckle && !noisy.clutter);
    let plain = settings("preset: \"plain\", effects: ()").effects;
    assert_eq!(plain, Console::preset("plain").unwrap().effects);
}

#[test]
fn every_fault_of_the_presets_name_is_said() {
    assert_eq!(
        said("preset: \"abdomn\", lines: 2"),
        "s.ron:2:9: preset `abdomn` is not in the built-in presets; expected one of `abdomen`, \
         `vascular`, `musculoskeletal`, `cardiac`, `endocavity`, `ice`, `ivus`, `plain`; did you mean \
         `abdomen`?\n\
         s.ron:2:26: `lines`: expected a whole number from 8 to 1024, found the number 2"
    );
    assert_eq!(
        said("prest: \"abdomen\""),
        "s.ron:2:1: unknown field `prest`; expected `preset`; did you mean `preset`?"
    );
    assert_eq!(
        said("rejet: 0.1"),
        "s.ron:2:1: unknown field `rejet`; did you mean `reject`?"
    );
    assert_eq!(
        said("preset: \"plain\", preset: \"ice\""),
        "s.ron:2:26: the preset is given twice (first at 2:9)"
    );
    assert_eq!(
        said("preset: 3"),
        "s.ron:2:9: expected a text in double quotes, found the number 3"
    );
}

/// What does not go with the preset is said where the file names the preset.
#[test]
fn a_fault_between_file_and_preset_has_a_place() {
    assert_eq!(
        said("preset: \"musculoskeletal\", steering_deg: -40"),
        "s.ron:2:9: the look at -8° turns the lines to -48°; expected -45 to 45° together with \
         `steering_deg`\n\
         s.ron:2:42: `steering_deg`: expected a number from -30 to 30, found the number -40"
    );
    assert_eq!(
        said("preset: \"musculoskeletal\", gain_db: 99"),
        "s.ron:2:37: `gain_db`: expected a number from -60 to 60, found the number 99"
    );
}

/// Every field that a file can have is a knob, every knob a field.
#[test]
fn every_knob_has_a_name() {
    let full = |transmit: &str| {
        settings(&format!(
            "frequency_mhz: 3, compounding_deg: [5], zoom: (center_mm: (0, 9), height_mm: 9), \
             apodization: Tukey(taper: 1), transmit_apodization: Tukey(taper: 1), transmit: {transmit}"
        ))
    };
    let mut ids = std::collections::BTreeSet::new();
    for transmit in [
        "Focused(foci_mm: [9], f_number: 2)",
        "DivergingWaves(behind_mm: 9, angles_deg: [0])",
    ] {
        for field in full(transmit).to_node().fields() {
            ids.insert(field.name.value.clone());
            let part = field.value.items().first().unwrap_or(&field.value);
            for inner in part.fields() {
                ids.insert(format!("{}.{}", field.name, inner.name));
            }
        }
    }
    let named: std::collections::BTreeSet<String> = Console::knobs()
        .iter()
        .map(|knob| knob.id.to_owned())
        .collect();
    assert_eq!(named, ids);
    assert_eq!(named.len(), Console::knobs().len());
    assert_eq!(Console::knob("gain_db").unwrap().unit, "dB");
    let is_chinese = |text: &str| text.chars().any(|c| ('\u{4E00}'..'\u{9FFF}').contains(&c));
    for knob in Console::knobs() {
        assert!(!knob.en.is_empty() && is_chinese(knob.zh), "{}", knob.id);
        let unit = knob.id.rsplit('_').next().unwrap_or_default();
        let expected = match unit {
            "mm" => "mm",
            "deg" => "°",
            "db" => "dB",
            _ => knob.unit,
        };
        assert_eq!(knob.unit, expected, "{}", knob.id);
    }
    for preset in Preset::all_builtin() {
        assert!(is_chinese(&preset.name.zh), "{}", preset.id);
    }
}

#[test]
fn every_choice_has_a_name() {
    use crate::{Apodization, GrayMap};
    use catalog::Choice;
    let choices = |id: &str| -> Vec<&str> {
        let knob = Console::knob(id).unwrap();
        knob.choices.iter().map(|choice| choice.id).collect()
    };
    assert_eq!(choices("transmit"), Transmit::NAMES);
    assert_eq!(choices("apodization"), Apodization::NAMES);
    assert_eq!(choices("transmit_apodization"), Apodization::NAMES);
    assert_eq!(choices("gray_map"), GrayMap::NAMES);
}

fn array() -> impl Strategy<Value = Array> {
    let row = (1u32..300, 0.05..0.6f64);
    prop_oneof![
        row.clone().prop_map(|(elements, pitch_mm)| Array::Linear {
            elements,
            pitch_mm,
            element_width_mm: pitch_mm,
        }),
        (row.clone(), 5.0..80.0f64).prop_map(|((elements, pitch_mm), radius_mm)| Array::Curved {
            elements,
            pitch_mm,
            element_width_mm: pitch_mm,
            radius_mm,
        }),
        (row, 10.0..120.0f64).prop_map(|((elements, pitch_mm), sector_deg)| Array::Phased {
            elements,
            pitch_mm,
            element_width_mm: pitch_mm,
            sector_deg,
        }),
        (0.1..3.0f64).prop_map(|radius_mm| Array::Rotational {
            element_mm: radius_mm,
            radius_mm,
            revolutions_per_minute: 1800.0,
            ring_down_mm: 0.0,
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// A probe that nobody thought of starts with settings that fit it.
    #[test]
    fn the_start_of_any_probe_fits(
        array in array(),
        center_frequency_mhz in 1.0..60.0f64,
        fractional_bandwidth in 0.1..1.2f64,
        (least, more) in (2.0..200.0f64, 0.5..200.0f64),
    ) {
        let probe = Probe {
            id: "new".to_owned(),
            name: DisplayName { en: "new".to_owned(), zh: "新".to_owned() },
            array,
            center_frequency_mhz,
            fractional_bandwidth,
            frequencies_mhz: vec![center_frequency_mhz],
            elevation: Elevation { aperture_mm: 5.0, focus_mm: 20.0 },
            face: Face { reflectivity: 0.2, lens_mm: 1.0, lens_speed_m_s: 1000.0 },
            depth_range_mm: (least, least + more),
        };
        let fit = Console::default_for(&probe).fit(&probe);
        prop_assert!(fit.is_ok(), "{:?}", fit);
    }

    /// Whatever is done to a settings file with a preset, reading returns.
    #[test]
    fn no_text_makes_it_panic((from, length, junk) in (0usize..90, 0usize..20, "[ -~]{0,12}")) {
        let good = "Settings(version: 1, preset: \"plain\", effects: (noise: true), lines: 64)";
        let (start, end) = (from.min(good.len()), (from + length).min(good.len()));
        let text = format!("{}{junk}{}", &good[..start], &good[end..]);
        let _ = Console::parse(&text, "s.ron").map_err(|error| error.to_string());
    }
}
