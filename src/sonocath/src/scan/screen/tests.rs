//! What stands where, and that words keep clear of the image.

use std::sync::Arc;

use ultrasound::display::{Compensation, Display, PictureSize};
use ultrasound::grid::ScanGrid;

use super::scale::Ruler;
use super::*;

#[test]
fn rulers_have_5_and_10_mm_where_there_is_room() {
    // 160 mm on 780 points: 0.2 mm a point.
    let ruler = Ruler::new(11.0 * 0.205, 28.5 * 0.205);
    assert_eq!(
        [ruler.short_mm, ruler.long_mm, ruler.number_mm],
        [5.0, 10.0, 10.0]
    );
    // 40 mm on 780 points.
    let ruler = Ruler::new(11.0 * 0.051, 28.5 * 0.051);
    assert_eq!(
        [ruler.short_mm, ruler.long_mm, ruler.number_mm],
        [1.0, 5.0, 5.0]
    );
    // 300 mm on 300 points.
    let ruler = Ruler::new(4.4, 17.1);
    assert_eq!(
        [ruler.short_mm, ruler.long_mm, ruler.number_mm],
        [5.0, 10.0, 20.0]
    );
    // A ring of 6 mm on 780 points.
    let ruler = Ruler::new(0.17, 0.44);
    assert_eq!(
        [ruler.short_mm, ruler.long_mm, ruler.number_mm],
        [0.2, 1.0, 1.0]
    );
}

/// A white image of a probe on a screen, and the screen.
fn white(size: [u32; 2], language: Language, probe: &Probe) -> (Rect, Picture, Image) {
    let console = Console::default_for(probe);
    let screen = Screen::new(
        size,
        Words {
            patient: "A patient with a name as long as names can be in some parts of the world",
            aim: "Right upper quadrant: hepatorenal recess (Morison)",
            probe,
            console: &console,
            language,
        },
    );
    let area = screen.area();
    let display = Display::new(
        &[Arc::new(ScanGrid::new(probe, &console, 0.0))],
        &console,
        Compensation::default(),
        PictureSize {
            width: area.w as usize,
            height: area.h as usize,
        },
    );
    let mut picture = display.picture();
    picture.pixels = picture.mask.to_vec();
    let image = screen.draw(&picture, 9998, 10_000);
    (area, picture, image)
}

#[test]
fn words_and_scales_keep_clear_of_the_image() {
    for size in [[480, 360], [640, 1200], [1280, 960], [1920, 1080]] {
        for probe in Probe::all_builtin() {
            for language in [Language::En, Language::Zh] {
                let (area, picture, image) = white(size, language, probe);
                assert!(area.x > 0 && area.y > 0);
                for row in 0..area.h {
                    for column in 0..area.w {
                        let within = (row * area.w + column) as usize;
                        if picture.mask[within] == 0 {
                            continue;
                        }
                        let at = ((area.y + row) * size[0] as i32 + area.x + column) as usize;
                        let found = &image.rgb[3 * at..3 * at + 3];
                        assert_eq!(found, [255; 3], "{size:?} {} {row} {column}", probe.id);
                    }
                }
            }
        }
    }
}

#[test]
fn the_image_has_most_of_the_screen() {
    let probe = Probe::named("C5-2v").unwrap();
    for size in [[480, 360], [1280, 960], [1920, 1080]] {
        let (area, ..) = white(size, Language::En, probe);
        let share = f64::from(area.w * area.h) / f64::from(size[0] * size[1]);
        assert!(share > 0.6, "{size:?}: {share}");
    }
}
