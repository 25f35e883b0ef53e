//! The whole room, drawn without a screen: a smoke test for machines with a Vulkan device.

use std::sync::Arc;

use anatomy::Silent;
use anatomy::atlas::Atlas;
use anatomy::recipe::Recipe;
use anatomy::tissue::{DisplayName, TissueTable};
use equipment::Probe;
use trainer::standin::{Load, StandIn};
use trainer::{Language, Room, RoomError, Step, device, run_offscreen};

fn room() -> Room {
    let recipe = Recipe::builtin("phantom-cyst").expect("built in");
    let patient = recipe
        .make(Atlas::builtin(), TissueTable::builtin(), &Silent)
        .expect("it is made in other tests too");
    Room {
        patient: Arc::new(patient),
        probe: Probe::named("C5-2v").expect("built in").clone(),
        start: None,
        title: DisplayName {
            en: "Test".to_owned(),
            zh: "测试".to_owned(),
        },
        language: Language::Chinese,
        show_stats: true,
    }
}

fn player(room: &Room) -> Box<StandIn> {
    let load = Load {
        images_per_s: 30.0,
        busy_ms: 0.0,
    };
    Box::new(StandIn::start(&room.probe, load))
}

#[test]
fn a_room_without_a_screen_shows_body_image_and_panels() {
    if let Err(reason) = device::find() {
        println!("skipped: {reason}");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for a picture");
    let path = folder.path().join("room.png");
    let room = room();
    let player = player(&room);
    let mut since = None;
    run_offscreen(room, player, (1280, 720), &mut |frame| {
        assert!(frame.number < 2000, "no live picture arrives");
        let is_live = frame.shown().picture.is_some();
        match (is_live, since) {
            (true, None) => since = Some(frame.number),
            (true, Some(first)) if frame.number == first + 3 => {
                return Step::Screenshot(path.clone());
            }
            (true, Some(first)) if frame.number > first + 3 => return Step::Stop,
            _ => std::thread::sleep(std::time::Duration::from_millis(2)),
        }
        Step::Keep
    })
    .expect("there is a device");
    let picture = read(&path);
    assert_eq!(picture.size, (1280, 720));
    // The bright line below the face, the couch behind the body, the panel's accent.
    assert!(picture.any(780..1270, 90..540, |[r, g, b]| r > 180 && r == g && g == b));
    assert!(picture.any(270..760, 60..540, |[r, g, b]| r > 60 && (r != g || g != b)));
    assert!(picture.any(0..250, 0..380, |[r, g, b]| g > 150 && g > r + 60 && g > b));
}

#[test]
fn a_size_that_cannot_be_drawn_is_refused() {
    let room = room();
    let player = player(&room);
    let outcome = run_offscreen(room, player, (10, 10), &mut |_| Step::Stop);
    assert!(matches!(outcome, Err(RoomError::Size(10, 10))));
}

struct Pixels {
    size: (usize, usize),
    rgb: Vec<u8>,
}

impl Pixels {
    fn any(
        &self,
        xs: std::ops::Range<usize>,
        ys: std::ops::Range<usize>,
        is_it: impl Fn([u8; 3]) -> bool,
    ) -> bool {
        let at = |x: usize, y: usize| {
            let i = 3 * (y * self.size.0 + x);
            [self.rgb[i], self.rgb[i + 1], self.rgb[i + 2]]
        };
        ys.into_iter().any(|y| xs.clone().any(|x| is_it(at(x, y))))
    }
}

fn read(path: &std::path::Path) -> Pixels {
    let file = std::fs::File::open(path).expect("it was written");
    let decoder = png::Decoder::new(std::io::BufReader::new(file));
    let mut reader = decoder.read_info().expect("it is a PNG");
    let mut rgb = vec![0; reader.output_buffer_size().expect("it is small")];
    let info = reader.next_frame(&mut rgb).expect("it is whole");
    Pixels {
        size: (info.width as usize, info.height as usize),
        rgb,
    }
}
