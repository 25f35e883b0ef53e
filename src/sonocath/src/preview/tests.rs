//! Tests of whole sheets: what stands where, what survives odd input, the same bytes every time.

use super::shapes::{Part, ellipsoid, torso, without_some_triangles};
use super::*;
use std::path::Path;

use crate::drawing::canvas::Rect;
use crate::drawing::write_png;

fn sheet<'a>(surfaces: Vec<SheetSurface<'a>>) -> Sheet<'a> {
    Sheet {
        title: "Test torso",
        subtitle: "Shapes where organs belong",
        surfaces,
        labels: SheetLabels::ENGLISH,
        cut_at: None,
        lines: Vec::new(),
    }
}

fn surface<'a>(mesh: &'a TriMesh<Patient>, color: [u8; 3]) -> SheetSurface<'a> {
    let kind = SurfaceKind::Organ;
    SheetSurface {
        mesh,
        name: "Liver",
        color,
        priority: 0,
        opacity: 1.0,
        kind,
    }
}

fn pixel(image: &Image, x: i32, y: i32) -> [u8; 3] {
    let at = 3 * (y as usize * image.width as usize + x as usize);
    [image.rgb[at], image.rgb[at + 1], image.rgb[at + 2]]
}

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];

/// Red to the patient's right, green to the front, blue to the head: plates so wide that three cuts
/// through one place between them meet all three.
fn plates() -> [TriMesh<Patient>; 3] {
    [
        ellipsoid([-70.0, 0.0, 0.0], [15.0, 60.0, 60.0], 24),
        ellipsoid([0.0, -70.0, 0.0], [60.0, 15.0, 60.0], 24),
        ellipsoid([0.0, 0.0, 70.0], [60.0, 60.0, 15.0], 24),
    ]
}

/// The plates' sheet with nothing written over them.
fn plates_sheet(plates: &[TriMesh<Patient>; 3]) -> (Sheet<'_>, Image) {
    let plain = |(mesh, color)| SheetSurface {
        name: "",
        ..surface(mesh, color)
    };
    let mut sheet = sheet(plates.iter().zip([RED, GREEN, BLUE]).map(plain).collect());
    sheet.cut_at = Some(Point::new(-30.0, -30.0, 30.0));
    let image = render(&sheet);
    (sheet, image)
}

/// Where the points of a kind lie in a panel, relative to its middle (right and down).
fn offset(
    (sheet, image): &(Sheet, Image),
    (row, column): (usize, i32),
    wanted: impl Fn([u8; 3]) -> bool,
) -> [f64; 2] {
    let whole = Extent::of(sheet.surfaces.iter().map(|s| s.mesh.bounds())).unwrap();
    let layout = Layout::new(&whole, &cut_extent(sheet, &whole), &groups(sheet));
    let area = inset(panel::picture_area(layout.panel(row, column)), 60);
    let (mut count, mut sum) = (0.0, [0.0; 2]);
    for y in area.y..area.bottom() {
        for x in area.x..area.right() {
            if wanted(pixel(image, x, y)) {
                count += 1.0;
                sum = [
                    sum[0] + f64::from(x - area.x),
                    sum[1] + f64::from(y - area.y),
                ];
            }
        }
    }
    assert!(count > 100.0, "too few such points in panel {row} {column}");
    [
        sum[0] / count - 0.5 * f64::from(area.w),
        sum[1] / count - 0.5 * f64::from(area.h),
    ]
}

/// Whether a lit point belongs to a surface of a pure colour.
fn shade_of(pure: [u8; 3]) -> impl Fn([u8; 3]) -> bool {
    move |seen| {
        let (own, other): (Vec<_>, Vec<_>) = (0..3).partition(|&c| pure[c] > 0);
        own.iter()
            .all(|&c| seen[c] > 90 && other.iter().all(|&o| seen[o] < seen[c] / 2))
    }
}

#[test]
fn shaded_views_show_the_patient_the_right_way_round() {
    let plates = plates();
    let sheet = plates_sheet(&plates);
    let (front, side) = ((0, 0), (0, 1));
    let [x, y] = [0, 1];
    assert!(
        offset(&sheet, front, shade_of(RED))[x] < -50.0,
        "the right is on the left"
    );
    assert!(
        offset(&sheet, front, shade_of(BLUE))[y] < -50.0,
        "the head is up"
    );
    assert!(
        offset(&sheet, side, shade_of(GREEN))[x] > 50.0,
        "the front is on the right"
    );
    assert!(
        offset(&sheet, side, shade_of(BLUE))[y] < -50.0,
        "the head is up"
    );
}

#[test]
fn cuts_follow_the_radiological_convention() {
    let plates = plates();
    let sheet = plates_sheet(&plates);
    let (axial, coronal, sagittal) = ((1, 0), (1, 1), (1, 2));
    let [x, y] = [0, 1];
    assert!(
        offset(&sheet, axial, |p| p == RED)[x] < -50.0,
        "the right is on the left"
    );
    assert!(
        offset(&sheet, axial, |p| p == GREEN)[y] < -50.0,
        "the front is up"
    );
    assert!(
        offset(&sheet, coronal, |p| p == RED)[x] < -50.0,
        "the right is on the left"
    );
    assert!(
        offset(&sheet, coronal, |p| p == BLUE)[y] < -50.0,
        "the head is up"
    );
    assert!(
        offset(&sheet, sagittal, |p| p == GREEN)[x] < -50.0,
        "the front is on the left"
    );
    assert!(
        offset(&sheet, sagittal, |p| p == BLUE)[y] < -50.0,
        "the head is up"
    );
}

#[test]
fn cuts_pass_where_most_organs_are() {
    let parts = torso();
    let surfaces: Vec<SheetSurface> = parts.iter().map(Part::on_sheet).collect();
    let middle = middle_of_organs(&surfaces).unwrap();
    // Liver, gallbladder, spleen, both kidneys, aorta and cava all lie between these heights.
    assert!((45.0..75.0).contains(&middle.z()), "{middle:?}");
    assert!(middle_of_organs(&[]).is_none());
}

#[test]
fn layers_round_the_organs_become_clear_and_nothing_else() {
    let parts = torso();
    let mut surfaces: Vec<SheetSurface> = parts.iter().map(Part::on_sheet).collect();
    clear_shells(&mut surfaces);
    let clear = surfaces.iter().filter(|s| s.opacity < 1.0).map(|s| s.name);
    assert_eq!(clear.collect::<Vec<_>>(), ["Skin", "Fat", "Muscle"]);
    assert!(surfaces[0].opacity > surfaces[1].opacity);

    let mut organs: Vec<SheetSurface> = surfaces[3..].to_vec();
    clear_shells(&mut organs);
    clear_shells(&mut organs[..1]);
    clear_shells(&mut []);
    assert!(organs.iter().all(|s| s.opacity == 1.0));
}

/// A sheet of fat in the wall of the belly is thin, but hides what lies behind it.
#[test]
fn a_thin_layer_round_some_organs_becomes_clear_and_a_muscle_beside_them_does_not() {
    let parts = torso();
    let sheet = shapes::ellipsoid([0.0, -10.0, 60.0], [130.0, 60.0, 110.0], 30);
    let strap = shapes::ellipsoid([150.0, 0.0, 40.0], [12.0, 80.0, 180.0], 30);
    let layer = |mesh| SheetSurface {
        mesh,
        name: "Layer",
        color: [240, 212, 136],
        priority: 4,
        opacity: 1.0,
        kind: SurfaceKind::SoftTissue,
    };
    let mut surfaces: Vec<SheetSurface> = parts.iter().map(Part::on_sheet).collect();
    surfaces.extend([layer(&sheet), layer(&strap)]);
    clear_shells(&mut surfaces);
    let [sheet, strap] = [2, 1].map(|n| surfaces[surfaces.len() - n].opacity);
    assert!(sheet < 1.0 && strap == 1.0, "{sheet} {strap}");
}

#[test]
fn a_sheet_without_structures_says_so() {
    let image = render(&sheet(Vec::new()));
    let said = |labels: SheetLabels<'static>| {
        render(&Sheet {
            labels,
            ..sheet(Vec::new())
        })
    };
    let silent = said(SheetLabels {
        empty: "",
        ..SheetLabels::ENGLISH
    });
    assert_eq!(
        (image.width, image.rgb.len()),
        (2400, 3 * 2400 * image.height as usize)
    );
    assert_ne!(image, silent);
}

#[test]
fn tiny_huge_flat_and_far_structures_are_drawn() {
    let flat = vec![[0.0, 0.0, 0.0], [50.0, 0.0, 0.0], [0.0, 0.0, 50.0]];
    let point = vec![[7.0, 7.0, 7.0]; 3];
    let extremes = vec![[-3e38, 0.0, 0.0], [3e38, 0.0, 3e38], [0.0, 3e38, -3e38]];
    let triangle = |v: Vec<[f32; 3]>| TriMesh::new(v, vec![[0, 1, 2]]).unwrap();
    for mesh in [
        triangle(flat),
        triangle(point),
        triangle(extremes),
        ellipsoid([0.0; 3], [1e-4; 3], 12),
        ellipsoid([0.0; 3], [1e30; 3], 12),
        ellipsoid([1e7, -1e7, 1e7], [40.0; 3], 12),
    ] {
        let mut sheet = sheet(vec![surface(&mesh, [200, 90, 60]); 2]);
        sheet.cut_at = Some(Point::new(f64::NAN, f64::INFINITY, 1e300));
        sheet.surfaces[0].opacity = f32::NAN;
        render(&sheet);
    }
}

#[test]
fn odd_names_and_lines_do_no_harm() {
    let mesh = ellipsoid([0.0; 3], [40.0; 3], 16);
    let long = "Ramus interventricularis ".repeat(400);
    let names = [long.as_str(), "", "\n\t\u{202E}", "\u{1F9E0}\u{10FFFF}"];
    let surfaces = names.map(|name| SheetSurface {
        name,
        ..surface(&mesh, [90, 90, 200])
    });
    let points = [f64::NAN, f64::INFINITY, 1e300, -1e300, 0.0].map(|c| Point::new(c, c, c));
    let mut sheet = sheet(surfaces.to_vec());
    (sheet.title, sheet.subtitle) = (&long, &long);
    sheet.lines.push(SheetLine {
        points: &points,
        color: [255; 3],
    });
    render(&sheet);
}

#[test]
fn many_structures_make_a_taller_sheet() {
    let mesh = ellipsoid([0.0; 3], [40.0; 3], 6);
    let height = |count| {
        let sheet = sheet(vec![surface(&mesh, [90; 3]); count]);
        Layout::new(&Extent::DEFAULT, &Extent::DEFAULT, &groups(&sheet)).height()
    };
    assert_eq!(height(1), height(70));
    assert!(height(300) > height(70) + 500);
}

#[test]
fn the_same_bytes_with_any_number_of_threads() {
    let parts = torso();
    let broken = without_some_triangles(&ellipsoid([0.0, -60.0, -60.0], [40.0; 3], 24), 0.8);
    let mut surfaces: Vec<SheetSurface> = parts.iter().map(Part::on_sheet).collect();
    surfaces.push(surface(&broken, [120, 120, 220]));
    let sheet = sheet(surfaces);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| render(&sheet))
    };
    assert!(with(1) == with(3));
}

#[test]
fn a_written_picture_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sheet.png");
    let image = Image {
        width: 3,
        height: 2,
        rgb: (0..18).collect(),
    };
    write_png(&path, &image).unwrap();
    let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut bytes = vec![0; 18];
    reader.next_frame(&mut bytes).unwrap();
    assert_eq!(bytes, image.rgb);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing else is left"
    );
}

#[test]
fn a_failed_write_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = Image {
        width: 3,
        height: 2,
        rgb: vec![0; 5],
    };
    assert!(write_png(&folder.path().join("sheet.png"), &wrong).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let image = Image {
        width: 1,
        height: 1,
        rgb: vec![0; 3],
    };
    assert!(write_png(&folder.path().join("missing").join("sheet.png"), &image).is_err());
}

/// Writes the test torso's sheets into the folder named by `SONOCATH_PREVIEW_OUT`, to look at.
#[test]
fn the_torso_can_be_looked_at() {
    let Some(folder) = std::env::var_os("SONOCATH_PREVIEW_OUT") else {
        println!("skipped: the_torso_can_be_looked_at (SONOCATH_PREVIEW_OUT is not set)");
        return;
    };
    let parts = torso();
    let mut sheet = sheet(parts.iter().map(Part::on_sheet).collect());
    clear_shells(&mut sheet.surfaces);
    let aorta: Vec<Point<Patient>> = (0..=40)
        .map(|i| Point::new(10.0, 44.0, 190.0 - 6.25 * f64::from(i)))
        .collect();
    sheet.lines.push(SheetLine {
        points: &aorta,
        color: [255, 236, 150],
    });
    write_png(&Path::new(&folder).join("torso.png"), &render(&sheet)).unwrap();
}

/// Smaller by `margin` on every side.
fn inset(area: Rect, margin: i32) -> Rect {
    Rect {
        x: area.x + margin,
        y: area.y + margin,
        w: area.w - 2 * margin,
        h: area.h - 2 * margin,
    }
}
