//! An invented session of 90 s: two planes and a sweep, a fourth task never begun.

use recording::{
    Event, Facts, Header, Outcome, PlaneTarget, ProbeState, RequiredStructure, Step, SweepTarget,
    Target,
};
use report::{ReportInput, TaskPictures};
use scoring::hand::{self, PatientFromProbe, Turn};
use scoring::{Advice, Band, DisplayName, Item, Measure, Move, SessionScore, TaskScore};

const TICKS_PER_S: u32 = 60;
const SECONDS: u32 = 90;

/// Everything that a [`ReportInput`] borrows.
pub struct Session {
    pub title: DisplayName,
    pub intro: DisplayName,
    pub header: Header,
    pub steps: Vec<Step>,
    pub score: SessionScore,
    pub pictures: Vec<[Option<Vec<u8>>; 2]>,
}

/// A [`ReportInput`] with what it borrows.
pub struct Borrowed<'a> {
    session: &'a Session,
    pictures: Vec<TaskPictures<'a>>,
}

pub fn name(en: &str, zh: &str) -> DisplayName {
    DisplayName {
        en: en.to_owned(),
        zh: zh.to_owned(),
    }
}

impl Session {
    pub fn demo() -> Self {
        Self {
            title: name("Abdomen: liver, kidney, gallbladder", "腹部：肝、肾、胆囊"),
            intro: name(
                "Show the two standard planes as closely as you can, then sweep through the whole gallbladder. Freeze before you hand in a picture.",
                "请尽可能准确地显示两个标准切面，然后扫查整个胆囊。提交图像前请先冻结。",
            ),
            header: header(),
            steps: steps(),
            score: score(),
            pictures: vec![
                [Some(picture(0.0)), Some(picture(0.35))],
                [Some(picture(0.8)), Some(picture(0.5))],
                [None, None],
            ],
        }
    }

    pub fn task_pictures(&self) -> Vec<TaskPictures<'_>> {
        let pictures = self.pictures.iter();
        pictures
            .map(|[acquired, exemplary]| TaskPictures {
                acquired: acquired.as_deref(),
                exemplary: exemplary.as_deref(),
            })
            .collect()
    }

    pub fn borrowed(&self) -> Borrowed<'_> {
        Borrowed {
            session: self,
            pictures: self.task_pictures(),
        }
    }
}

impl Borrowed<'_> {
    pub fn input(&self) -> ReportInput<'_> {
        let session = self.session;
        ReportInput {
            title: &session.title,
            intro: &session.intro,
            trainee: Some("Li Wei"),
            date: "2026-02-03 14:20",
            this_engine: "sonocath 0.1.0 x86_64",
            is_broken_off: false,
            header: &session.header,
            steps: &session.steps,
            score: &session.score,
            pictures: &self.pictures,
        }
    }
}

fn header() -> Header {
    Header {
        engine: "sonocath 0.1.0 x86_64".to_owned(),
        scenario: "Scenario(version: 1)".to_owned(),
        patient: "phantom-torso".to_owned(),
        patient_digest: 0x1234_5678_9abc_def0,
        structures: vec!["liver".to_owned(), "gallbladder".to_owned()],
        probe: "C5-2v".to_owned(),
        seed: 20_260_203,
        ticks_per_s: TICKS_PER_S,
    }
}

/// A probe on the belly looking backwards, its marker to the patient's left, then turned.
fn pose([x, y, z]: [f64; 3], turn: Turn) -> PatientFromProbe {
    let backwards = Turn {
        tilt_deg: 90.0,
        ..Turn::default()
    };
    let mut pose = turn.applied_to(&backwards.applied_to(&PatientFromProbe::identity()));
    let place = &mut pose.isometry.translation.vector;
    (place.x, place.y, place.z) = (x, y, z);
    pose
}

/// Where the hand is: a search that narrows in on a target, then a sweep to and fro.
fn hand_at(t: f64) -> PatientFromProbe {
    let search = |from_s: f64, to_s: f64, from: [f64; 3], to: [f64; 3]| {
        let share = ((t - from_s) / (to_s - from_s)).clamp(0.0, 1.0);
        let eased = share * share * (3.0 - 2.0 * share);
        let wander = 14.0 * (1.0 - share);
        let [x, y, z]: [f64; 3] = std::array::from_fn(|i| from[i] + (to[i] - from[i]) * eased);
        let at = [
            x + wander * (0.9 * t).sin(),
            y,
            z + wander * (1.3 * t).cos(),
        ];
        let turn = Turn {
            tilt_deg: 24.0 * (1.0 - eased) * (0.7 * t).sin() - 9.0,
            rock_deg: 8.0 * (0.4 * t).cos(),
            rotate_deg: 70.0 * (1.0 - eased),
        };
        pose(at, turn)
    };
    match t {
        t if t < 34.0 => search(2.0, 30.0, [20.0, -96.0, 40.0], [-62.0, -88.0, 12.0]),
        t if t < 62.0 => search(34.0, 58.0, [-62.0, -88.0, 12.0], [-104.0, -41.0, -34.0]),
        _ => {
            let share = (t - 62.0) / 28.0;
            let at = [
                -70.0 + 26.0 * (9.0 * share).sin(),
                -80.0,
                -20.0 + 44.0 * share,
            ];
            pose(at, Turn::default())
        }
    }
}

fn steps() -> Vec<Step> {
    let step = |tick: u32| {
        let t = f64::from(tick) / f64::from(TICKS_PER_S);
        // Lifted off between the first two tasks.
        let is_aside =
            !(2.0..88.5).contains(&t) || (34.4..37.0).contains(&t) || (61.4..64.0).contains(&t);
        let force_n = 6.0
            + 3.5 * (0.5 * t).sin()
            + 1.4 * (5.0 * t).sin()
            + if (50.0..53.0).contains(&t) { 7.0 } else { 0.0 };
        let contact =
            (1.1 - 0.02 * (force_n - 8.0).abs() - 0.25 * (0.31 * t).sin().abs()).clamp(0.0, 1.0);
        let probe = (!is_aside).then(|| ProbeState {
            patient_from_probe: hand_at(t),
            press_mm: 0.6 * force_n,
            force_n,
        });
        Step {
            tick: u64::from(tick),
            inputs: Default::default(),
            facts: (tick.is_multiple_of(6) && probe.is_some()).then(|| Facts {
                contact: contact as f32,
                seen: Vec::new(),
            }),
            probe,
            settings: None,
            frozen: (30.5..33.9).contains(&t) || (59.0..61.5).contains(&t),
            events: Vec::new(),
        }
    };
    let mut steps: Vec<Step> = (0..=SECONDS * TICKS_PER_S).map(step).collect();
    for (seconds, event) in events() {
        steps[(seconds * f64::from(TICKS_PER_S)) as usize]
            .events
            .push(event);
    }
    steps
}

fn events() -> Vec<(f64, Event)> {
    let started = |task, target| Event::TaskStarted { task, target };
    let ended = |task, outcome| Event::TaskEnded { task, outcome };
    let captured = |task, picture| Event::Captured { task, picture };
    vec![
        (
            0.0,
            started(0, plane("right_subcostal", [-58.0, -88.0, 20.0], -14.0)),
        ),
        (
            17.25,
            Event::Refused {
                knob: "depth_mm".to_owned(),
                why: "this probe reaches 50 to 300 mm".to_owned(),
            },
        ),
        (24.0, captured(0, 0xfeed)),
        (33.8, captured(0, 0xbeef)),
        (34.0, ended(0, Outcome::Answered)),
        (
            34.0,
            started(1, plane("right_kidney_long", [-92.0, -52.0, -22.0], 12.0)),
        ),
        (61.3, captured(1, 0xcafe)),
        (61.5, ended(1, Outcome::Answered)),
        (
            61.5,
            started(
                2,
                Target::Sweep(SweepTarget {
                    structure: "gallbladder".to_owned(),
                    cells: 480,
                }),
            ),
        ),
        (90.0, ended(2, Outcome::TimedOut)),
    ]
}

fn plane(id: &str, at: [f64; 3], rotate_deg: f64) -> Target {
    let probe = pose(
        at,
        Turn {
            rotate_deg,
            rock_deg: 4.0,
            tilt_deg: -6.0,
        },
    );
    let turned = Turn {
        rock_deg: 90.0,
        ..Turn::default()
    }
    .applied_to(&probe);
    Target::Plane(PlaneTarget {
        plane: id.to_owned(),
        center: hand::face_of(&probe),
        lateral: hand::depth_of(&turned),
        depth: hand::depth_of(&probe),
        patient_from_probe: probe,
        depth_mm: 160.0,
        required: vec![RequiredStructure {
            structure: "liver".to_owned(),
            exemplary_mm2: 5200.0,
        }],
    })
}

fn item(
    id: &str,
    names: [&str; 2],
    points: f64,
    of: f64,
    found: [&str; 2],
    advice: Option<(Vec<Move>, [&str; 2])>,
) -> Item {
    Item {
        id: id.to_owned(),
        name: name(names[0], names[1]),
        points,
        of,
        found: name(found[0], found[1]),
        advice: advice.map(|(moves, [en, zh])| Advice {
            moves,
            words: name(en, zh),
        }),
    }
}

fn measure(id: &str, names: [&str; 2], value: f64, unit: &str) -> Measure {
    Measure {
        id: id.to_owned(),
        name: name(names[0], names[1]),
        value,
        unit: unit.to_owned(),
    }
}

fn task(
    id: &str,
    names: [&str; 2],
    band: Band,
    items: Vec<Item>,
    measures: Vec<Measure>,
) -> TaskScore {
    TaskScore {
        task: id.to_owned(),
        name: name(names[0], names[1]),
        points: items.iter().map(|item| item.points).sum(),
        band,
        items,
        measures,
    }
}

fn score() -> SessionScore {
    let tasks = vec![first(), second(), sweep(), never()];
    let points = tasks.iter().map(|task| task.points).sum::<f64>() / 4.0;
    SessionScore {
        points,
        band: Band::NonStandard,
        tasks,
    }
}

fn first() -> TaskScore {
    let items = vec![
        item(
            "structures",
            ["Structures", "结构"],
            36.8,
            40.0,
            [
                "Liver 96 %, portal vein 88 % of the exemplary area",
                "肝脏 96 %，门静脉为示范面积的 88 %",
            ],
            Some((
                vec![Move::Slide {
                    marker_mm: -6.0,
                    across_mm: 4.0,
                }],
                [
                    "Slide a little away from the marker and towards the feet",
                    "略向标记对侧及足侧滑动",
                ],
            )),
        ),
        item(
            "normal",
            ["Angle of the plane", "切面角度"],
            22.4,
            25.0,
            ["4.1° off the plane", "偏离切面 4.1°"],
            Some((
                vec![Move::Tilt(4.0), Move::Rotate(-14.0)],
                [
                    "Tilt 4° towards the feet, then turn the marker 14° anticlockwise",
                    "向足侧倾斜 4°，再将标记逆时针旋转 14°",
                ],
            )),
        ),
        item(
            "offset",
            ["Distance from the plane", "切面距离"],
            20.0,
            20.0,
            ["0.8 mm", "0.8 毫米"],
            None,
        ),
        item(
            "settings",
            ["Settings", "仪器设置"],
            11.5,
            15.0,
            ["Gain 6 dB too low", "增益低 6 dB"],
            Some((
                vec![Move::Turn {
                    knob: "gain_db".to_owned(),
                    by: 6.0,
                }],
                ["Turn the gain up", "提高增益"],
            )),
        ),
    ];
    let measures = vec![
        measure("time", ["Time", "用时"], 34.0, "s"),
        measure("path_length", ["Path length", "轨迹长度"], 612.3, "mm"),
        measure("mean_force", ["Mean force", "平均压力"], 6.42, "N"),
        measure(
            "plane_angle",
            ["Angle to the plane", "与切面夹角"],
            4.1,
            "°",
        ),
        measure("jerk", ["Smoothness", "平稳度"], -3.2, ""),
    ];
    task(
        "liver",
        ["Right subcostal plane", "右肋下切面"],
        Band::Standard,
        items,
        measures,
    )
}

fn second() -> TaskScore {
    let items = vec![
        item(
            "structures",
            ["Structures", "结构"],
            27.1,
            40.0,
            [
                "Kidney 71 %; renal pelvis not visible",
                "肾脏 71 %；未显示肾盂",
            ],
            Some((
                vec![
                    Move::Slide {
                        marker_mm: 12.0,
                        across_mm: 9.0,
                    },
                    Move::Rock(-8.0),
                ],
                [
                    "Slide 15 mm towards the head until the upper pole shows, then rock away from the marker",
                    "向头侧滑动 15 毫米直至显示上极，再向标记对侧摇摆",
                ],
            )),
        ),
        item(
            "normal",
            ["Angle of the plane", "切面角度"],
            14.0,
            25.0,
            ["13° off the plane", "偏离切面 13°"],
            Some((
                vec![Move::Rotate(12.0), Move::Tilt(-5.0)],
                [
                    "Turn the marker 12° clockwise and tilt back by 5°",
                    "将标记顺时针旋转 12°，并回倾 5°",
                ],
            )),
        ),
        item(
            "offset",
            ["Distance from the plane", "切面距离"],
            12.0,
            20.0,
            ["8.3 mm towards the feet", "偏向足侧 8.3 毫米"],
            Some((
                vec![Move::Slide {
                    marker_mm: 0.0,
                    across_mm: -8.3,
                }],
                ["Slide 8 mm towards the head", "向头侧滑动 8 毫米"],
            )),
        ),
        item(
            "pressure",
            ["Pressure", "压力"],
            13.0,
            15.0,
            ["Up to 16 N for 3 s", "最高 16 N，持续 3 秒"],
            Some((
                vec![Move::Compress(-6.0)],
                [
                    "Press less: the kidney moves away",
                    "减轻压力：肾脏会被推开",
                ],
            )),
        ),
    ];
    let measures = vec![
        measure("time", ["Time", "用时"], 27.5, "s"),
        measure("path_length", ["Path length", "轨迹长度"], 431.0, "mm"),
        measure("mean_force", ["Mean force", "平均压力"], 7.9, "N"),
        measure(
            "plane_angle",
            ["Angle to the plane", "与切面夹角"],
            13.0,
            "°",
        ),
    ];
    task(
        "kidney",
        ["Right kidney, long axis", "右肾长轴切面"],
        Band::Basic,
        items,
        measures,
    )
}

fn sweep() -> TaskScore {
    let items = vec![
        item(
            "coverage",
            ["Coverage", "覆盖率"],
            41.0,
            70.0,
            ["59 % of the gallbladder was seen", "显示了胆囊的 59 %"],
            Some((
                vec![Move::Slide {
                    marker_mm: 20.0,
                    across_mm: 0.0,
                }],
                [
                    "Sweep on to the neck of the gallbladder",
                    "继续扫查至胆囊颈部",
                ],
            )),
        ),
        item(
            "speed",
            ["Speed", "速度"],
            12.0,
            30.0,
            ["31 mm/s at the fastest", "最快 31 毫米/秒"],
            Some((
                vec![Move::Compress(2.0)],
                ["Go slower, with steady contact", "放慢速度并保持稳定接触"],
            )),
        ),
    ];
    let measures = vec![
        measure("time", ["Time", "用时"], 28.5, "s"),
        measure("cells", ["Cells seen", "已显示单元"], 283.0, ""),
    ];
    task(
        "gallbladder",
        ["Sweep through the gallbladder", "胆囊全程扫查"],
        Band::NonStandard,
        items,
        measures,
    )
}

fn never() -> TaskScore {
    task(
        "spleen",
        ["Spleen, long axis", "脾脏长轴切面"],
        Band::NonStandard,
        Vec::new(),
        Vec::new(),
    )
}

/// A grey fan on black, as a PNG file.
fn picture(phase: f64) -> Vec<u8> {
    const SIZE: [u32; 2] = [320, 260];
    let gray = |column: u32, row: u32| {
        let (x, y) = (f64::from(column) - 160.0, f64::from(row) + 40.0);
        let (radius, angle) = (x.hypot(y), x.atan2(y));
        if !(60.0..290.0).contains(&radius) || angle.abs() > 0.62 {
            return 0;
        }
        let waves = (0.07 * radius + 5.0 * phase).sin() * (9.0 * angle + 7.0 * phase).cos();
        (90.0 + 70.0 * waves - 0.12 * radius).clamp(0.0, 255.0) as u8
    };
    let rows = 0..SIZE[1];
    let pixels: Vec<u8> = rows
        .flat_map(|row| (0..SIZE[0]).map(move |column| gray(column, row)))
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE[0], SIZE[1]);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("a vector takes every byte");
    writer
        .write_image_data(&pixels)
        .expect("as many pixels as the header says");
    writer.finish().expect("a vector takes every byte");
    bytes
}
