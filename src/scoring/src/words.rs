//! Moves and findings in English and Chinese.

use anatomy::atlas::Atlas;
use anatomy::direction::Direction;
use anatomy::tissue::DisplayName;
use equipment::Console;
use equipment::hand::{PatientFromProbe, Turn};
use geometry::{Vector, frame};

use crate::{Advice, Move};

/// The same in both languages.
pub(crate) fn say(en: impl Into<String>, zh: impl Into<String>) -> DisplayName {
    DisplayName {
        en: en.into(),
        zh: zh.into(),
    }
}

/// Parts with a separator for each language.
pub(crate) fn join(parts: &[DisplayName], en: &str, zh: &str) -> DisplayName {
    let all = |pick: fn(&DisplayName) -> &str, by: &str| {
        parts.iter().map(pick).collect::<Vec<_>>().join(by)
    };
    say(all(|p| &p.en, en), all(|p| &p.zh, zh))
}

/// What people call a structure or plane of the atlas; its id if it is of another.
pub(crate) fn named(id: &str) -> DisplayName {
    let atlas = Atlas::builtin();
    let structure = atlas.structure(id).map(|entry| entry.name.clone());
    let plane = || atlas.plane(id).map(|plane| plane.name.clone());
    structure.or_else(plane).unwrap_or_else(|| say(id, id))
}

/// An advice: why, then the moves from where the probe was.
pub(crate) fn advice(why: &DisplayName, moves: Vec<Move>, from: &PatientFromProbe) -> Advice {
    let told = moves_in_words(&moves, from);
    let words = match moves.is_empty() {
        true => why.clone(),
        false => say(
            format!("{}: {}", why.en, told.en),
            format!("{}：{}", why.zh, told.zh),
        ),
    };
    Advice { moves, words }
}

/// An advice without a move of the hand.
pub(crate) fn plain_advice(words: DisplayName) -> Advice {
    Advice {
        moves: Vec::new(),
        words,
    }
}

/// Moves in a sentence, with directions in the patient. `from` is where the probe was.
pub fn moves_in_words(moves: &[Move], from: &PatientFromProbe) -> DisplayName {
    let rotations = moves.iter().map(|a_move| match a_move {
        Move::Rotate(degrees) => *degrees,
        _ => 0.0,
    });
    let rotate_deg = rotations.sum();
    // Tilt and rock follow the rotation.
    let rotated = Turn {
        rotate_deg,
        ..Turn::default()
    }
    .applied_to(from);
    let told: Vec<DisplayName> = moves
        .iter()
        .map(|a_move| in_words(a_move, from, &rotated))
        .collect();
    join(&told, ", then ", "，然后")
}

fn in_words(a_move: &Move, from: &PatientFromProbe, rotated: &PatientFromProbe) -> DisplayName {
    match a_move {
        Move::Slide {
            marker_mm,
            across_mm,
        } => slide(*marker_mm, *across_mm, from),
        Move::Rock(by) => {
            let to = towards(*rotated * Vector::new(by.signum(), 0.0, 0.0));
            let (marker, zh_marker) = match *by > 0.0 {
                true => ("to the marker side", "标记侧"),
                false => ("away from the marker", "标记对侧"),
            };
            say(
                format!("rock the beam {:.0}° {} ({marker})", by.abs(), to.en),
                format!("声束{}摇摆 {:.0}°（{zh_marker}）", to.zh, by.abs()),
            )
        }
        Move::Tilt(by) => {
            let to = towards(*rotated * Vector::new(0.0, by.signum(), 0.0));
            say(
                format!("tilt the beam {:.0}° {}", by.abs(), to.en),
                format!("声束{}倾斜 {:.0}°", to.zh, by.abs()),
            )
        }
        Move::Rotate(by) => rotate(*by),
        Move::Compress(by) => match *by > 0.0 {
            true => say(
                format!("press {by:.0} N harder"),
                format!("加压约 {by:.0} N"),
            ),
            false => say(
                format!("press {:.0} N less", -by),
                format!("减压约 {:.0} N", -by),
            ),
        },
        Move::Turn { knob, by } => turn(knob, *by),
    }
}

fn slide(marker_mm: f64, across_mm: f64, from: &PatientFromProbe) -> DisplayName {
    let length = libm::hypot(marker_mm, across_mm);
    let to = towards(*from * Vector::new(marker_mm, across_mm, 0.0));
    let (en, zh) = if marker_mm.abs() < across_mm.abs() {
        ("across the scan plane", "垂直于扫查平面")
    } else if marker_mm > 0.0 {
        ("to the marker side", "朝标记侧")
    } else {
        ("away from the marker", "背离标记侧")
    };
    say(
        format!("slide {length:.0} mm {} ({en})", to.en),
        format!("{}平移 {length:.0} mm（{zh}）", to.zh),
    )
}

fn rotate(by: f64) -> DisplayName {
    /// From here on it does not matter which way round.
    const OVER_DEG: f64 = 179.5;
    if by.abs() >= OVER_DEG {
        return say("turn the probe by 180°", "将探头旋转 180°");
    }
    let (en, zh) = match by > 0.0 {
        true => ("clockwise", "顺时针"),
        false => ("counter-clockwise", "逆时针"),
    };
    say(
        format!("rotate {:.0}° {en} (seen from the cable)", by.abs()),
        format!("{zh}旋转 {:.0}°（从电缆端看）", by.abs()),
    )
}

fn turn(knob: &str, by: f64) -> DisplayName {
    let (id, slider) = match knob.split_once('.') {
        Some(("tgc_db", slider)) => ("tgc_db", slider.parse::<u32>().ok()),
        _ => (knob, None),
    };
    let known = Console::knob(id);
    let (en, zh, unit) = known.map_or((knob, knob, ""), |knob| (knob.en, knob.zh, knob.unit));
    let number = slider.map_or(String::new(), |slider| format!(" {}", slider + 1));
    let (verb, zh_verb) = match by > 0.0 {
        true => ("up", "增加"),
        false => ("down", "减少"),
    };
    if unit.is_empty() {
        return say(
            format!("switch “{en}{number}” over"),
            format!("切换“{zh}{number}”"),
        );
    }
    let by = by.abs();
    say(
        format!(
            "turn {}{number} {verb} by {by:.0} {unit}",
            en.to_lowercase()
        ),
        format!("将{zh}{number}{zh_verb} {by:.0} {unit}"),
    )
}

/// "towards the patient's right", with a second direction where it is nearly as much that one.
pub(crate) fn towards(direction: Vector<frame::Patient>) -> DisplayName {
    /// From this share of the main direction on, a second one is named: 27°.
    const SECOND: f64 = 0.5;
    let mut parts = [
        (direction.x(), Direction::Left, Direction::Right),
        (direction.y(), Direction::Posterior, Direction::Anterior),
        (direction.z(), Direction::Superior, Direction::Inferior),
    ];
    parts.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    let most = parts[0].0.abs();
    let told: Vec<DisplayName> = parts
        .into_iter()
        .take(2)
        .enumerate()
        .filter(|(place, (by, _, _))| *place == 0 || by.abs() >= SECOND * most)
        .map(|(_, (by, above, below))| direction_name(if by >= 0.0 { above } else { below }))
        .collect();
    let told = join(&told, " and ", "、");
    say(format!("towards {}", told.en), format!("向{}", told.zh))
}

fn direction_name(direction: Direction) -> DisplayName {
    match direction {
        Direction::Left => say("the patient's left", "患者左侧"),
        Direction::Right => say("the patient's right", "患者右侧"),
        Direction::Anterior => say("the front", "腹侧"),
        Direction::Posterior => say("the back", "背侧"),
        Direction::Superior => say("the head", "头侧"),
        Direction::Inferior => say("the feet", "足侧"),
    }
}
