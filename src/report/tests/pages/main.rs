//! What a page holds and how it is written, seen from outside.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "../../examples/demo/session.rs"]
mod session;
mod well_formed;

use recording::{Event, Facts, Outcome, ProbeState, Step};
use report::{Language, ReportInput};
use scoring::{Band, SessionScore, hand::PatientFromProbe};
use serde_json::Value;
use session::{Session, name};

const LANGUAGES: [Language; 2] = [Language::English, Language::Chinese];

/// Both pages of an input, checked for what must hold of every page.
fn pages(input: &ReportInput) -> [String; 2] {
    LANGUAGES.map(|language| {
        let page = report::html(input, language);
        well_formed::check(&page);
        let bare = without_pictures(&page);
        for word in ["NaN", "inf,", "-inf", "<script", "javascript:"] {
            assert!(!bare.contains(word), "{word}");
        }
        page
    })
}

/// A page without the letters that its pictures are written in.
fn without_pictures(page: &str) -> String {
    let mut parts = page.split("src=\"data:image/png;base64,");
    let mut bare = parts.next().unwrap().to_owned();
    for part in parts {
        bare.push_str("src=\"");
        bare.push_str(&part[part.find('"').unwrap()..]);
    }
    bare
}

/// The text of a piece of a page, without its tags.
fn text_of(piece: &str) -> String {
    let texts = piece.split('<').filter_map(|part| part.split_once('>'));
    texts.map(|(_, text)| text).collect()
}

#[test]
fn the_demo_is_whole_in_both_languages() {
    let session = Session::demo();
    let borrowed = session.borrowed();
    let [english, chinese] = pages(&borrowed.input());
    for task in &session.score.tasks {
        assert!(english.contains(&task.name.en));
        assert!(chinese.contains(&task.name.zh));
        assert!(!chinese.contains(&task.name.en), "{}", task.name.en);
        for item in &task.items {
            assert!(english.contains(&item.found.en));
            assert!(chinese.contains(&item.found.zh));
        }
    }
    for [words, zeichen] in [
        ["Answered after 34\u{202f}s", "用时 34\u{202f}s 完成"],
        ["Time ran out", "超时"],
        ["Not started", "未开始"],
        ["Rotate 14° anticlockwise", "逆时针旋转 14°"],
        ["Target pose", "目标位姿"],
    ] {
        assert!(english.contains(words), "{words}");
        assert!(chinese.contains(zeichen), "{zeichen}");
    }
    let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    assert!(!english.chars().any(han), "Chinese on the English page");
}

#[test]
fn four_pictures_stand_in_the_page_and_nothing_is_loaded() {
    let session = Session::demo();
    let borrowed = session.borrowed();
    for page in pages(&borrowed.input()) {
        assert_eq!(page.matches("src=\"data:image/png;base64,").count(), 4);
        assert_eq!(page.matches("src=").count(), 4);
        assert_eq!(
            page.matches("href=").count(),
            page.matches("href=\"#").count()
        );
        let bare = without_pictures(&page);
        for outside in [
            "http:", "https:", "//", "url(", "@import", "<link", "<iframe",
        ] {
            assert!(!bare.contains(outside), "{outside}");
        }
    }
}

#[test]
fn hostile_texts_stay_texts() {
    const EVIL: &str = "</title><script>alert(1)</script>\"'&<svg onload=x>\u{202e}\u{0}{}";
    let evil = name(EVIL, EVIL);
    let mut session = Session::demo();
    session.title = evil.clone();
    session.intro = evil.clone();
    session.header.patient = EVIL.to_owned();
    session.header.probe = EVIL.to_owned();
    session.header.engine = EVIL.to_owned();
    for task in &mut session.score.tasks {
        task.name = evil.clone();
        for item in &mut task.items {
            item.name = evil.clone();
            item.found = evil.clone();
            if let Some(advice) = &mut item.advice {
                advice.words = evil.clone();
                advice.moves.push(scoring::Move::Turn {
                    knob: EVIL.to_owned(),
                    by: -1.0,
                });
            }
        }
        for measure in &mut task.measures {
            measure.name = evil.clone();
            measure.unit = EVIL.to_owned();
        }
    }
    let refused = Event::Refused {
        knob: EVIL.to_owned(),
        why: EVIL.to_owned(),
    };
    session.steps[100].events.push(refused);
    let borrowed = session.borrowed();
    let mut input = borrowed.input();
    (input.trainee, input.date, input.this_engine) = (Some(EVIL), EVIL, EVIL);
    for page in pages(&input) {
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&amp;"));
        assert!(!page.contains("<svg onload") && !page.contains(['\u{202e}', '\u{0}']));
    }
    assert_eq!(report::json(&input)["title"]["en"], EVIL);
}

#[test]
fn the_figures_add_up_and_page_and_json_agree() {
    let session = Session::demo();
    let borrowed = session.borrowed();
    let input = borrowed.input();
    let json = report::json(&input);
    let [english, _] = pages(&input);
    assert_eq!(json["version"], report::JSON_VERSION);
    assert_eq!(json["duration_s"], 90.0);
    let tasks = json["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), session.score.tasks.len());
    for (at, task) in tasks.iter().enumerate() {
        let from = english.find(&format!("id=\"task-{}\"", at + 1)).unwrap();
        let article = text_of(english[from..].split("</article>").next().unwrap());
        let sum: f64 = task["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["points"].as_f64().unwrap())
            .sum();
        assert!((sum - task["points"].as_f64().unwrap()).abs() < 1e-9);
        if task["state"] == "not_started" {
            assert!(article.contains("Not started"));
            continue;
        }
        assert!(
            article.contains(&format!("{} of 100", tenths(&task["points"]))),
            "{article}"
        );
        for item in task["items"].as_array().unwrap() {
            let printed = format!("{} of {}", tenths(&item["points"]), tenths(&item["of"]));
            assert!(article.contains(&printed), "{printed}");
        }
        for measure in task["measures"].as_array().unwrap() {
            assert!(article.contains(measure["name"]["en"].as_str().unwrap()));
        }
    }
    let peak = json["force_n"]["peak"].as_f64().unwrap();
    assert!(english.contains(&format!("peak {peak:.1}")));
    let drawn = points(&json["force_n"]["points"])
        .map(|point| point[1])
        .fold(0.0, f64::max);
    assert_eq!(drawn, peak, "thinning keeps the peak");
    assert_eq!(json["events"].as_array().unwrap().len(), 10);
    assert_eq!(
        json["frozen_s"],
        serde_json::json!([[30.5, 33.9], [59.0, 61.5]])
    );
}

fn tenths(value: &Value) -> String {
    let text = format!("{:.1}", value.as_f64().unwrap());
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn points(runs: &Value) -> impl Iterator<Item = [f64; 2]> + '_ {
    let points = runs
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|run| run.as_array().unwrap());
    points.map(|point| [point[0].as_f64().unwrap(), point[1].as_f64().unwrap()])
}

#[test]
fn the_same_input_makes_the_same_bytes() {
    let (one, other) = (Session::demo(), Session::demo());
    let [one, other] = [&one, &other].map(|session| pages(&session.borrowed().input()));
    assert_eq!(one, other);
}

#[test]
fn empty_and_partial_sessions_say_so() {
    let mut session = Session::demo();
    session.steps.clear();
    let input_of = |session: &Session| pages(&session.borrowed().input());
    let [page, _] = input_of(&session);
    assert!(page.contains("Nothing was recorded.") && !page.contains("Course of the session"));
    assert_eq!(
        page.matches(">Not started<").count(),
        8,
        "in the list and in the section"
    );

    session.score = SessionScore {
        points: f64::NAN,
        band: Band::NonStandard,
        tasks: Vec::new(),
    };
    let [page, _] = input_of(&session);
    assert!(page.contains("This session has no tasks."));

    // Broken off in the second task, nothing captured in it; made by another engine.
    let mut session = Session::demo();
    session.steps.truncate(50 * 60);
    session.pictures.truncate(1);
    session.header.engine = "sonocath 0.0.9 aarch64".to_owned();
    let borrowed = session.borrowed();
    let mut input = borrowed.input();
    input.is_broken_off = true;
    let [page, _] = pages(&input);
    assert!(page.contains("The recording was broken off."));
    assert!(
        page.contains("Recorded with sonocath 0.0.9 aarch64, reported with sonocath 0.1.0 x86_64.")
    );
    assert!(page.contains("Not finished") && page.contains("There is no picture"));
    assert_eq!(report::json(&input)["tasks"][1]["state"], "unfinished");
    assert_eq!(report::json(&input)["tasks"][2]["state"], "not_started");
}

#[test]
fn scanning_without_tasks_shows_the_whole_path() {
    let mut session = Session::demo();
    session.score.tasks.clear();
    session
        .steps
        .iter_mut()
        .for_each(|step| step.events.clear());
    let [page, _] = pages(&session.borrowed().input());
    assert_eq!(page.matches("Path of the probe").count(), 1);
}

#[test]
fn broken_figures_break_no_page() {
    let mut session = Session::demo();
    session.header.ticks_per_s = 0;
    let mut astray = PatientFromProbe::identity();
    astray.isometry.translation.vector.x = f64::NAN;
    let mut far = PatientFromProbe::identity();
    far.isometry.translation.vector.y = 1e300;
    for (at, pose) in [(300, astray), (310, far)] {
        session.steps[at].probe = Some(ProbeState {
            patient_from_probe: pose,
            press_mm: f64::NAN,
            force_n: f64::INFINITY,
        });
    }
    session.steps[300].facts = Some(Facts {
        contact: f32::NAN,
        seen: Vec::new(),
    });
    session.steps[200].events = vec![
        Event::TaskEnded {
            task: 3,
            outcome: Outcome::Left,
        },
        Event::Captured {
            task: 77,
            picture: 1,
        },
    ];
    let last = session.steps.len() - 1;
    session.steps[last].tick = u64::MAX;
    session.score.tasks[0].points = f64::INFINITY;
    session.score.tasks[0].items[0].points = f64::NAN;
    session.score.tasks[0].measures[0].value = f64::NEG_INFINITY;
    session.pictures[0][0] = Some(b"not a picture".to_vec());
    let [page, _] = pages(&session.borrowed().input());
    assert!(page.contains("Picture captured for Task 78"));
    assert_eq!(page.matches("<img").count(), 3);
}

#[test]
fn an_hour_of_a_trembling_hand_is_still_a_small_page() {
    let mut session = Session::demo();
    session.pictures.clear();
    let first = session.steps[0].clone();
    let tremble = |tick: u64| {
        let mut pose = PatientFromProbe::identity();
        let at = &mut pose.isometry.translation.vector;
        let noise = |salt: u64| ((tick.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> salt) & 0xff) as f64;
        (at.x, at.y, at.z) = (noise(8), noise(20), noise(33));
        let force_n = noise(40) / 10.0;
        Step {
            tick,
            probe: Some(ProbeState {
                patient_from_probe: pose,
                press_mm: 1.0,
                force_n,
            }),
            facts: Some(Facts {
                contact: force_n as f32 / 25.6,
                seen: Vec::new(),
            }),
            events: if tick % 1000 == 999 {
                vec![Event::Refused {
                    knob: "gain_db".to_owned(),
                    why: "no".to_owned(),
                }]
            } else {
                Vec::new()
            },
            ..first.clone()
        }
    };
    let beginning = first.events.clone();
    session.steps = (0..3600 * 60).map(tremble).collect();
    session.steps[0].events = beginning;
    let [page, _] = pages(&session.borrowed().input());
    assert!(page.len() < 400_000, "{} bytes", page.len());
    assert!(page.contains("216 more events are not listed."));
    assert!(page.contains(">60:00<") || page.contains(">50:00<"));
}
