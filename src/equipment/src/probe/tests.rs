//! Against the published geometry, closed forms, and files made wrong by hand.

use proptest::prelude::*;

use super::*;

fn probe(name: &str) -> &'static Probe {
    Probe::named(name).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_builtin_file_reads() {
    for (id, text) in BUILTIN {
        let read = Probe::parse(text, &format!("{id}.ron"));
        let read = read.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read.id, id);
    }
    assert_eq!(Probe::all_builtin().len(), 8);
}

/// Elements, aperture (mm) and opening (degrees) as the makers give them.
#[test]
fn geometry_is_the_published_one() {
    let published = [
        ("L11-5v", 128, 38.4, 0.0),
        ("L12-3v", 192, 38.4, 0.0),
        ("C5-2v", 128, 65.0, 75.0),
        ("P4-2v", 64, 19.2, 90.0),
        ("C5-2/60", 128, 60.2, 56.0),
        ("ivus", 1, 0.5, 360.0),
    ];
    for (name, elements, aperture_mm, opening_deg) in published {
        let probe = probe(name);
        assert_eq!(probe.elements(), elements, "{name}");
        let aperture = probe.aperture_mm();
        assert!(
            (aperture - aperture_mm).abs() < 0.05,
            "{name}: {aperture} mm"
        );
        let opening = probe.opening_rad().to_degrees();
        assert!((opening - opening_deg).abs() < 0.6, "{name}: {opening}°");
    }
    let endocavity = probe("endocavity").opening_rad().to_degrees();
    assert!((120.0..=150.0).contains(&endocavity));
}

#[test]
fn kinds_are_told_apart() {
    assert!(probe("ivus").is_rotational() && !probe("ivus").is_linear());
    assert!(probe("L12-3v").is_linear() && !probe("C5-2v").is_linear());
    assert_eq!(probe("ivus").pitch_mm(), 0.0);
    assert_eq!(probe("P4-2v").element_width_mm(), 0.25);
    assert_eq!(probe("C5-2-60").to_string(), "C5-2/60 curved array");
}

#[test]
fn both_spellings_and_any_case_are_known() {
    let both = (Probe::builtin("C5-2/60"), Probe::builtin("C5-2-60"));
    assert!(both.0.is_some() && both.0 == both.1);
    assert_eq!(
        Probe::builtin("c5-2V").map(|probe| &*probe.id),
        Some("C5-2v")
    );
    assert_eq!(Probe::builtin("C5"), None);
}

#[test]
fn an_unknown_name_gets_the_nearest_and_all() {
    let error = Probe::named("P4-2").unwrap_err().to_string();
    assert_eq!(
        error,
        "there is no probe `P4-2`; did you mean `P4-2v`? (there are `C5-2v`, `C5-2-60`, `L11-5v`, \
         `L12-3v`, `P4-2v`, `endocavity`, `ice`, `ivus`)"
    );
    let far = Probe::named("toaster").unwrap_err().to_string();
    assert!(far.contains("`toaster`; there are `C5-2v`"), "{far}");
}

#[test]
fn the_wavelength_is_speed_over_frequency() {
    assert!((Probe::wavelength_mm(3.85, 1540.0) - 0.4).abs() < 1e-12);
}

/// −6.02 dB at the ends of the band that the data sheet gives, whatever the bandwidth.
#[test]
fn the_band_is_a_half_at_its_ends() {
    for probe in Probe::all_builtin() {
        let half_db = 20.0 * 2.0_f64.log10();
        let (low, high) = probe.band_mhz(half_db);
        let width = (high - low) / probe.center_frequency_mhz;
        assert!((width - probe.fractional_bandwidth).abs() < 1e-12);
        let (lower, higher) = probe.band_mhz(20.0);
        assert!(lower < low && high < higher && lower > 0.0);
        assert_eq!(probe.band_mhz(0.0).0, probe.center_frequency_mhz);
    }
    // Verasonics gives 1.71 to 3.73 MHz for the P4-2v and 4.68 to 10.52 MHz for the L11-5v.
    let (low, high) = probe("P4-2v").band_mhz(6.0206);
    assert!((low - 1.71).abs() < 0.01 && (high - 3.73).abs() < 0.01);
    let (low, high) = probe("L11-5v").band_mhz(6.0206);
    assert!((low - 4.68).abs() < 0.01 && (high - 10.52).abs() < 0.01);
}

#[test]
fn what_is_written_reads_as_the_same() {
    for probe in Probe::all_builtin() {
        let text = probe.to_ron().unwrap();
        assert_eq!(&Probe::parse(&text, "folder/probe.ron").unwrap(), probe);
    }
}

#[test]
fn a_probe_keeps_the_id_that_its_file_gives() {
    let own = GOOD.replacen("version: 1,", "version: 1, id: \"P9\",", 1);
    assert_eq!(Probe::parse(&own, "p.ron").unwrap().id, "P9");
    assert_eq!(Probe::parse(GOOD, "folder/p.ron").unwrap().id, "p");
    let empty = said("version: 1,", "version: 1, id: \" \",");
    assert!(
        empty.contains("p.ron:2:21: `id`: expected a text that is not empty"),
        "{empty}"
    );
}

/// Probes for cavities and catheters, by what they are sold for.
#[test]
fn inserted_probes_are_told_from_those_on_the_skin() {
    let inserted = Probe::all_builtin().iter().filter(|p| p.is_inserted());
    let ids: Vec<&str> = inserted.map(|probe| &*probe.id).collect();
    assert_eq!(ids, ["endocavity", "ice", "ivus"]);
}

#[test]
fn a_file_without_an_id_is_called_by_its_stem() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/probes/ice.ron");
    assert_eq!(&Probe::open(path).unwrap(), probe("ice"));
    let missing = path.replace("ice.ron", "icee.ron");
    let error = Probe::open(missing).unwrap_err().to_string();
    assert!(error.contains("did you mean") && error.contains("ice.ron"));
}

const GOOD: &str = r#"Probe(
    version: 1,
    name: (en: "a", zh: "b"),
    array: Phased(elements: 64, pitch_mm: 0.3, element_width_mm: 0.25, sector_deg: 90),
    center_frequency_mhz: 2.72,
    fractional_bandwidth: 0.74,
    frequencies_mhz: [1.8, 2.72, 3.7],
    elevation: (aperture_mm: 14, focus_mm: 60),
    face: (reflectivity: 0.2, lens_mm: 1),
    depth_range_mm: (40, 240),
)"#;

/// What is said when `old` becomes `new` in a good file.
fn said(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old), "{old}");
    let error = Probe::parse(&GOOD.replacen(old, new, 1), "p.ron").err();
    error.map_or("nothing".to_owned(), |error| error.to_string())
}

const PHASED: &str = "Phased(elements: 64, pitch_mm: 0.3, element_width_mm: 0.25, sector_deg: 90)";

#[test]
fn every_fault_of_an_array_is_said() {
    assert_eq!(
        said("width_mm: 0.25", "width_mm: 0.31"),
        "p.ron:4:66: elements 0.31 mm wide overlap: their middles are only 0.3 mm apart; \
         expected at most `pitch_mm`, 0.3"
    );
    assert_eq!(
        said("pitch_mm: 0.3", "pitch_mm: 0.6"),
        "p.ron:4:43: a pitch of 0.6 mm is more than the wavelength at 2.72 MHz: the sector would be \
         full of grating lobes; expected at most 0.566 mm, better half of it"
    );
    assert_eq!(
        said("sector_deg: 90", "sector_deg: 180"),
        "p.ron:4:84: `sector_deg`: expected a number from 10 to 120, found the number 180"
    );
    let long = "Linear(elements: 1000, pitch_mm: 0.3, element_width_mm: 0.2)";
    assert_eq!(
        said(PHASED, long),
        "p.ron:4:45: 1000 elements 0.3 mm apart make 300 mm; expected at most 250 mm in all; is the \
         pitch in mm?"
    );
    let round = "Curved(elements: 128, pitch_mm: 0.3, element_width_mm: 0.2, radius_mm: 6)";
    assert_eq!(
        said(PHASED, round),
        "p.ron:4:83: 38.4 mm of elements on this radius open to 367°; expected a radius of at least \
         9.2 mm, for 240° at most"
    );
}

#[test]
fn a_ring_down_that_hides_the_image_is_said() {
    let ringing =
        "Rotational(element_mm: 1, radius_mm: 1, revolutions_per_minute: 600, ring_down_mm: 9)";
    let text = GOOD
        .replacen(PHASED, ringing, 1)
        .replace("(40, 240)", "(8, 240)");
    let error = Probe::parse(&text, "p.ron").unwrap_err().to_string();
    assert_eq!(
        error,
        "p.ron:4:95: the ring-down of 9 mm hides the shallowest image; expected less than the least \
         depth, 8 mm"
    );
}

#[test]
fn every_fault_of_the_frequencies_is_said() {
    assert_eq!(
        said("[1.8, 2.72, 3.7]", "[]"),
        "p.ron:7:22: no frequency is offered; expected `[2.72]` at least"
    );
    assert_eq!(
        said("1.8,", "-1.8,"),
        "p.ron:7:23: the frequency -1.8 is not above 0; expected a frequency in MHz"
    );
    assert_eq!(
        said("3.7]", "7]"),
        "p.ron:7:34: the frequency 7 lies outside the probe's band; expected 1.43 to 4.01 MHz, where \
         the response is within 20 dB"
    );
    assert_eq!(
        said("3.7]", "2.72]"),
        "p.ron:7:34: the frequency 2.72 is not above the one before it; expected frequencies that \
         ascend"
    );
    assert_eq!(
        said("1.8, 2.72", "3, 3.2"),
        "p.ron:5:27: the centre frequency of 2.72 MHz is none that is offered; expected one between \
         those of `frequencies_mhz`, 3 to 3.7"
    );
    let wild = said("mhz: 2.72", "mhz: 272");
    assert!(wild.contains("from 0.5 to 80"), "{wild}");
}

#[test]
fn every_fault_of_the_depths_is_said() {
    assert_eq!(
        said("(40, 240)", "(240, 40)"),
        "p.ron:10:21: the least depth, 240 mm, is not below the greatest, 40 mm; expected `(least, \
         most)`"
    );
    assert_eq!(
        said("(40, 240)", "(40, 2400)"),
        "p.ron:10:21: depths of 40 to 2400 mm cannot all be set; expected depths from 2 to 400 mm"
    );
}

#[test]
fn all_faults_come_at_once() {
    let text = GOOD
        .replace("0.25", "0.35")
        .replace("2.72, 3.7", "2.72, 9")
        .replace("(40, 240)", "(40, 40)");
    let Err(EquipmentError::File(error)) = Probe::parse(&text, "p.ron") else {
        panic!("it is full of faults");
    };
    let lines: Vec<usize> = error.faults().iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [4, 7, 10], "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is done to the text, reading returns, and what it returns can be asked.
    #[test]
    fn no_text_makes_it_panic(
        (from, length, junk) in (0usize..900, 0usize..60, "[ -~]{0,12}"),
    ) {
        let boundary = |at: usize| GOOD.floor_char_boundary(at.min(GOOD.len()));
        let (start, end) = (boundary(from), boundary(from + length));
        let text = format!("{}{junk}{}", &GOOD[..start], &GOOD[end..]);
        if let Ok(probe) = Probe::parse(&text, "p.ron") {
            prop_assert!(probe.aperture_mm() > 0.0 && probe.band_mhz(20.0).1.is_finite());
        }
    }
}
