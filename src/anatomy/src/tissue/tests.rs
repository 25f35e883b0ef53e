//! Against closed forms, published tables and small files made by hand.

use super::*;
use proptest::prelude::*;

fn tissue(id: &str) -> &'static Tissue {
    let table = TissueTable::builtin();
    table.get(id).unwrap_or_else(|| panic!("no tissue `{id}`"))
}

#[test]
fn the_builtin_table_holds_what_patients_phantoms_and_devices_need() {
    let needed = "soft_tissue skin fat fat_visceral muscle tendon fascia bone_cortical \
        bone_trabecular bone bone_marrow cartilage lung gas blood thrombus bile urine amniotic_fluid \
        cerebrospinal_fluid serous_fluid bowel_content brain liver spleen pancreas kidney \
        renal_cortex renal_medulla renal_sinus adrenal thyroid prostate uterus bladder_wall \
        stomach_wall bowel_wall myocardium pericardium vessel_wall calcification gallstone \
        kidney_stone iohexol_300 iohexol_350 iopamidol_370 steel_316l nitinol platinum pebax ptfe \
        polyurethane nylon pmma water tissue_mimicking_gel agar gelatin ultrasound_gel breast testis";
    for id in needed.split_whitespace() {
        tissue(id);
    }
    assert!(TissueTable::builtin().len() >= 35);
}

#[test]
fn power_reflections_are_the_published_ones() {
    let power_db = |a, b| 20.0 * tissue(a).pressure_reflection(tissue(b)).abs().log10();
    let expected_db = [
        ("fat", "liver", -20.7),
        ("fat", "muscle", -22.0),
        ("liver", "kidney", -36.0),
        ("liver", "blood", -42.0),
        ("muscle", "bone_cortical", -4.0),
    ];
    for (a, b, expected) in expected_db {
        let got = power_db(a, b);
        assert!(
            (got - expected).abs() < 0.5,
            "{a}/{b}: {got:.2} dB, not {expected}"
        );
    }
    let into_gas = tissue("soft_tissue").pressure_reflection(tissue("gas"));
    assert!((into_gas.powi(2) - 0.999).abs() < 5e-4 && into_gas < 0.0);
    let into_bone = tissue("muscle").pressure_reflection(tissue("bone_cortical"));
    assert!((into_bone.powi(2) - 0.40).abs() < 0.01 && into_bone > 0.0);
}

#[test]
fn grey_order_is_what_every_sonographer_knows() {
    for f_mhz in [2.0, 3.5, 5.0, 7.5, 10.0] {
        let level = |id| tissue(id).backscatter_per_cm_sr(f_mhz);
        assert!(level("renal_sinus") > level("pancreas"), "{f_mhz} MHz");
        assert!(level("pancreas") >= level("spleen"), "{f_mhz} MHz");
        assert!(level("spleen") >= level("liver"), "{f_mhz} MHz");
        assert!(level("liver") > level("renal_cortex"), "{f_mhz} MHz");
        assert!(
            level("renal_cortex") > level("renal_medulla"),
            "{f_mhz} MHz"
        );
        for black in ["bile", "urine", "blood", "serous_fluid"] {
            assert!(
                level("renal_medulla") > level(black),
                "{black}, {f_mhz} MHz"
            );
        }
    }
    let black_db = |id| tissue(id).scatter.map_or(f64::NEG_INFINITY, |s| s.level_db);
    assert!(black_db("blood") < -20.0 && black_db("bile") < -60.0 && black_db("urine") < -60.0);
}

/// The fit of Campbell and Waag, 3.7e−5 f^1.4 /(cm sr) from 3 to 7 MHz.
#[test]
fn liver_scatters_as_measured() {
    for f_mhz in [3.0_f64, 3.5, 5.0, 7.0] {
        let measured = 3.7e-5 * f_mhz.powf(1.4);
        let got = tissue("liver").backscatter_per_cm_sr(f_mhz);
        assert!((got / measured - 1.0).abs() < 1e-6, "{f_mhz} MHz: {got}");
    }
    let blood = |f_mhz| tissue("blood").backscatter_per_cm_sr(f_mhz);
    assert!((blood(8.0) / blood(4.0) - 16.0).abs() < 1e-9);
}

/// Ranges of reference tables: Mech. Mater. 44:174 (2012) and Diagnostics 13:855 (2023).
#[test]
fn speeds_and_attenuations_lie_in_published_ranges() {
    let ranges = [
        ("water", 1480.0, 1480.0, 0.0022, 0.0022),
        ("blood", 1570.0, 1570.0, 0.15, 0.18),
        ("fat", 1468.0, 1488.0, 0.63, 0.63),
        ("liver", 1555.0, 1635.0, 0.50, 0.70),
        ("kidney", 1530.0, 1590.0, 1.0, 1.0),
        ("spleen", 1537.0, 1597.0, 0.40, 0.40),
        ("myocardium", 1526.0, 1623.0, 0.52, 0.52),
        ("muscle", 1517.0, 1600.0, 0.96, 1.40),
        ("skin", 1595.0, 1635.0, 0.35, 0.35),
        ("brain", 1540.0, 1580.0, 0.60, 0.60),
        ("breast", 1490.0, 1530.0, 0.75, 0.75),
        ("tendon", 1654.0, 1852.0, 1.57, 1.57),
        ("bone_cortical", 3200.0, 4000.0, 5.0, 15.0),
        ("lung", 650.0, 650.0, 40.0, 40.0),
        ("gas", 343.0, 343.0, 7.5, 7.5),
    ];
    for (id, c_least, c_most, a_least, a_most) in ranges {
        let (c, a) = (
            tissue(id).sound_speed_m_s,
            tissue(id).attenuation_db_cm(1.0),
        );
        assert!((c_least..=c_most).contains(&c), "{id}: {c} m/s");
        assert!((a_least..=a_most).contains(&a), "{id}: {a} dB/cm");
    }
    let water = tissue("water");
    assert!((water.attenuation_db_cm(5.0) - 25.0 * 0.0022).abs() < 1e-12);
    assert_eq!(water.impedance_rayl(), 1.48e6);
}

/// By hand: mg of iodine in a millilitre over the mass of the millilitre.
#[test]
fn contrast_media_hold_the_iodine_on_the_label() {
    let iodine = Element::from_symbol("I").unwrap();
    for (id, mg_ml) in [
        ("iohexol_300", 300.0),
        ("iohexol_350", 350.0),
        ("iopamidol_370", 370.0),
    ] {
        let medium = tissue(id);
        let held = medium.mass_fraction(iodine) * medium.density_kg_m3;
        assert!((held - mg_ml).abs() < 0.05, "{id}: {held} mg/ml");
    }
}

#[test]
fn every_tissue_is_whole() {
    let table = TissueTable::builtin();
    for (id, tissue) in table.iter() {
        let sum: f64 = tissue.composition.iter().map(|(_, share)| share).sum();
        assert!((sum - 1.0).abs() <= 0.002, "{}: {sum}", tissue.id);
        assert!(
            tissue
                .composition
                .windows(2)
                .all(|pair| pair[0].0 < pair[1].0),
            "{}",
            tissue.id
        );
        assert_eq!(
            tissue.provenance.len(),
            if tissue.scatter.is_some() { 9 } else { 7 }
        );
        assert_eq!(table.id(&tissue.id), Some(id));
        assert_eq!(table.id_at(id.index()), Some(id));
        assert!(!tissue.name.zh.is_ascii(), "{}", tissue.id);
    }
    assert_eq!(table.id_at(table.len()), None);
}

#[test]
fn every_source_is_cited_and_explained() {
    let table = TissueTable::builtin();
    let cited = |key: &str| {
        let cites = |p: &Provenance| matches!(p, Provenance::Source(source) if source == key);
        table
            .iter()
            .any(|(_, tissue)| tissue.provenance.values().any(cites))
    };
    for key in table.source_texts.keys() {
        assert!(cited(key), "no figure cites `{key}`");
        assert!(table.source_text(key).is_some_and(|text| text.len() > 20));
    }
}

#[test]
fn fluids_have_no_stiffness_and_solids_do() {
    for id in ["blood", "bile", "urine", "water", "gas", "iohexol_300"] {
        assert!(tissue(id).is_fluid(), "{id}");
    }
    for id in ["liver", "fat", "steel_316l", "bone", "thrombus"] {
        assert!(!tissue(id).is_fluid(), "{id}");
    }
}

/// A file of two tissues, the second with `change` made to it.
fn table_with(change: impl Fn(&str) -> String) -> Result<TissueTable, CatalogError> {
    let good = r#"(id: "water", name: (en: "Water", zh: "水"),
density_kg_m3: (value: 1000, source: "nist"), sound_speed_m_s: (value: 1480, estimate: true),
attenuation: (db_cm_at_1_mhz: (value: 0.0022, source: "nist"), power: (value: 2, source: "nist")),
scatter: None, specularity: (value: 0.8, estimate: true),
composition: (mass_fractions: {"H": 0.112, "O": 0.888}, source: "nist"),
stiffness_kpa: (value: 0, estimate: true), color: (1, 2, 3))"#;
    let other = change(&good.replace("\"water\"", "\"other\""));
    let text = format!(
        "Tissues(version: 1, sources: {{\"nist\": \"Tables of NIST\"}}, tissues: [\n{good},\n{other}])"
    );
    TissueTable::parse(&text, "t.ron")
}

fn only_fault(change: impl Fn(&str) -> String) -> String {
    let error = table_with(change).unwrap_err();
    assert_eq!(error.faults().len(), 1, "{error}");
    error.to_string()
}

fn replacing<'a>(from: &'a str, to: &'a str) -> impl Fn(&str) -> String + 'a {
    move |entry| {
        assert!(entry.contains(from), "{from}");
        entry.replacen(from, to, 1)
    }
}

#[test]
fn a_small_table_reads() {
    let table = table_with(str::to_owned).unwrap();
    assert_eq!(table.len(), 2);
    let water = table.get("water").unwrap();
    assert_eq!(
        water.provenance["density_kg_m3"],
        Provenance::Source("nist".to_owned())
    );
    assert_eq!(water.provenance["specularity"], Provenance::Estimate);
    assert_eq!(table.source_text("nist"), Some("Tables of NIST"));
    assert_eq!(table.nearest("watr"), Some("water"));
    assert_eq!(water.color, [1, 2, 3]);
}

#[test]
fn a_wrong_sum_is_reported_where_it_stands() {
    let fault = only_fault(replacing("0.888", "0.788"));
    assert_eq!(
        fault,
        "t.ron:12:31: the mass fractions sum to 0.9000; expected 1, within 0.002"
    );
    assert!(table_with(replacing("0.888", "0.8899")).is_ok());
}

#[test]
fn an_unknown_source_is_reported_with_the_nearest() {
    let fault = only_fault(replacing(
        "source: \"nist\"), sound",
        "source: \"nits\"), sound",
    ));
    assert!(fault.starts_with("t.ron:9:"), "{fault}");
    assert!(
        fault.contains("`nits`") && fault.ends_with("did you mean `nist`?"),
        "{fault}"
    );
}

#[test]
fn a_figure_without_or_with_too_much_provenance_is_reported() {
    let none = only_fault(replacing(
        "(value: 1000, source: \"nist\")",
        "(value: 1000)",
    ));
    assert!(none.contains("does not say where it comes from"), "{none}");
    let both = only_fault(replacing(
        "(value: 1000, source: \"nist\")",
        "(value: 1000, source: \"nist\", estimate: true)",
    ));
    assert!(both.contains("not both"), "{both}");
    let of_composition = only_fault(replacing("}, source: \"nist\"", "}"));
    assert!(
        of_composition.contains("where it comes from"),
        "{of_composition}"
    );
}

#[test]
fn a_figure_out_of_range_is_reported_at_its_value() {
    let fault = only_fault(replacing("value: 1480", "value: 1.48"));
    assert_eq!(
        fault,
        "t.ron:9:72: `sound_speed_m_s`: expected a number from 100 to 20000, found the number 1.48"
    );
}

#[test]
fn misspelt_names_are_reported_with_the_nearest() {
    let field = only_fault(replacing("specularity", "speculrity"));
    assert!(field.contains("did you mean `specularity`?"), "{field}");
    let misspelt = "scatter: (texture: Fibrus, length_mm: 1, \
        level_db: (value: 0, estimate: true), exponent: (value: 1.4, estimate: true))";
    let fault = only_fault(replacing("scatter: None", misspelt));
    assert!(fault.contains("did you mean `Fibrous`?"), "{fault}");
    let element = only_fault(replacing("\"H\"", "\"Hh\""));
    assert!(element.contains("`Hh` is no chemical element"), "{element}");
}

#[test]
fn an_id_twice_or_no_id_is_reported() {
    let twice = only_fault(replacing("\"other\"", "\"water\""));
    assert!(
        twice.contains("tissue `water` is there twice (first at 2:6)"),
        "{twice}"
    );
    let path = only_fault(replacing("\"other\"", "\"../x\""));
    assert!(path.contains("letters, digits"), "{path}");
}

#[test]
fn all_faults_come_at_once() {
    let error = table_with(|entry| {
        let entry = entry.replacen("\"other\"", "\"water\"", 1);
        let entry = entry.replacen("value: 1000", "value: -5", 1);
        let entry = entry.replacen("0.888", "0.5", 1);
        entry.replacen("color: (1, 2, 3)", "colour: (1, 2, 3)", 1)
    })
    .unwrap_err();
    let lines: Vec<usize> = error.faults().iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [8, 9, 12, 13], "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is done to the text, reading returns.
    #[test]
    fn no_text_makes_it_panic(
        (from, length, junk) in (0usize..90_000, 0usize..400, "[ -~]{0,12}"),
    ) {
        let good = include_str!("../../../../assets/tissues.ron");
        let boundary = |at: usize| (at..=good.len()).find(|at| good.is_char_boundary(*at));
        let start = boundary(from.min(good.len())).unwrap_or(good.len());
        let end = boundary((start + length).min(good.len())).unwrap_or(good.len());
        let text = format!("{}{junk}{}", &good[..start], &good[end..]);
        if let Ok(table) = TissueTable::parse(&text, "t.ron") {
            prop_assert!(table.len() <= TissueTable::builtin().len());
        }
    }
}
