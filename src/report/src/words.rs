//! Every string of a report, in English and Chinese side by side.

use scoring::{Band, DisplayName};

use crate::Language;
use crate::numbers::plain;

/// Makes the two tables from pairs, so that no string can exist in one language only.
macro_rules! words {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        /// The strings of one language. `{}` stands for what [`fill`] puts there.
        pub(crate) struct Words {
            $(pub(crate) $name: &'static str,)*
        }
        static ENGLISH: Words = Words { $($name: $en,)* };
        static CHINESE: Words = Words { $($name: $zh,)* };
        #[cfg(test)]
        const PAIRS: &[(&str, &str, &str)] = &[$((stringify!($name), $en, $zh),)*];
    };
}

words! {
    report: "Training report", "训练报告";
    // Header.
    trainee: "Trainee", "学员";
    date: "Date", "日期";
    patient: "Patient", "患者";
    probe: "Probe", "探头";
    duration: "Duration", "时长";
    engine: "Engine", "引擎";
    seed: "Seed", "随机种子";
    overall: "Overall score", "总分";
    of_points: "of 100", "满分 100";
    // Bands.
    standard: "Standard", "标准";
    basic: "Basic", "基本标准";
    non_standard: "Non-standard", "非标准";
    band_limits: "Standard from 80 points, basic from 60, non-standard below.", "80 分及以上为标准，60 分及以上为基本标准，60 分以下为非标准。";
    // Notices.
    broken_off: "The recording was broken off. What follows covers it up to its last complete step.", "录制中断。以下内容仅涵盖至最后一个完整步骤。";
    other_engine: "Recorded with {}, reported with {}. The pictures shown here may differ from those that were seen.", "录制所用引擎为 {}，生成报告所用引擎为 {}。此处图像可能与当时所见不同。";
    no_steps: "Nothing was recorded.", "没有录制到任何内容。";
    no_tasks: "This session has no tasks.", "本次训练没有任务。";
    // Tasks.
    tasks: "Tasks", "任务";
    task: "Task {}", "任务 {}";
    answered: "Answered after {}", "用时 {} 完成";
    left: "Left unanswered after {}", "{} 后放弃，未作答";
    timed_out: "Time ran out after {}", "{} 后超时";
    unfinished: "Not finished", "未完成";
    not_started: "Not started", "未开始";
    acquired: "Your picture", "您的图像";
    exemplary: "Exemplary picture of the target", "目标切面示范图像";
    no_acquired: "There is no picture", "无图像";
    no_exemplary: "No exemplary picture", "无示范图像";
    at_time: "at {}", "{} 时采集";
    item: "Item", "评分项";
    points: "Points", "得分";
    found: "What was found", "所见";
    mend: "How to improve", "改进方法";
    full: "Full points", "满分";
    total: "Total", "合计";
    points_of: "{} of {}", "{} / {}";
    measures: "Measures", "测量值";
    // Moves.
    slide: "Slide {}", "滑动 {}";
    rock: "Rock {}", "摇摆 {}";
    tilt: "Tilt {}", "倾斜 {}";
    rotate_right: "Rotate {} clockwise", "顺时针旋转 {}";
    rotate_left: "Rotate {} anticlockwise", "逆时针旋转 {}";
    press_more: "Press {} harder", "加压 {}";
    press_less: "Press {} less", "减压 {}";
    knob: "{} {}", "{} {}";
    // Path.
    path: "Path of the probe", "探头轨迹";
    from_front: "From the front", "前面观";
    from_left: "From the patient's left", "左侧面观";
    from_above: "From above (head)", "上面观（自头侧）";
    same_scale: "All views to the same scale", "各视图比例相同";
    start: "Start", "起点";
    end: "End", "终点";
    capture: "Captured picture", "采集的图像";
    earlier: "Earlier picture", "之前的图像";
    target_pose: "Target pose", "目标位姿";
    pose_glyph: "Bar: probe face; stem: direction of the beam", "横线为探头面，竖线为声束方向";
    right: "R", "右";
    left_side: "L", "左";
    anterior: "A", "前";
    posterior: "P", "后";
    superior: "S", "上";
    inferior: "I", "下";
    // Course.
    course: "Course of the session", "训练过程";
    force: "Force on the skin, N", "皮肤压力（N）";
    contact: "Contact of the probe's face, %", "探头面接触率（%）";
    peak: "peak {}", "峰值 {}";
    mean: "mean {}", "平均 {}";
    no_data: "Nothing recorded", "无记录";
    pictures: "Pictures", "图像";
    frozen: "Frozen", "冻结";
    refused: "Refused", "被拒绝";
    time_axis: "Time, s", "时间（秒）";
    time_axis_min: "Time, min:s", "时间（分:秒）";
    // Events.
    events: "Events", "事件";
    ev_started: "{} began", "{} 开始";
    ev_moved: "The body has moved, and the target of {} with it", "身体已移动，{} 的目标随之移动";
    ev_captured: "Picture captured for {}", "为 {} 采集图像";
    ev_answered: "{} answered", "{} 完成";
    ev_left: "{} left unanswered", "{} 未作答放弃";
    ev_timed_out: "{} ended: time ran out", "{} 超时结束";
    ev_refused: "{} refused: {}", "{} 被拒绝：{}";
    more_events: "{} more events are not listed.", "另有 {} 个事件未列出。";
    quoted_task: "“{}”", "“{}”";
    // Foot.
    how_to_read: "How to read this", "阅读说明";
    band_source: "The limits are those of the national quality control of fetal screening in China.", "界限采用中国胎儿筛查国家质量控制标准。";
    arrows: "Slide and rotate arrows are seen from behind the probe, its marker (dot) to the right.", "滑动与旋转箭头为从探头后方观察，标记（圆点）朝右。";
    axes: "R/L, A/P and S/I are the patient's right and left, front and back, head and feet.", "左右、前后、上下均以患者为准（上为头侧，下为足侧）。";
}

/// The strings of a language.
pub(crate) fn words(language: Language) -> &'static Words {
    match language {
        Language::English => &ENGLISH,
        Language::Chinese => &CHINESE,
    }
}

impl Words {
    /// The name of a band.
    pub(crate) fn band(&self, band: Band) -> &'static str {
        match band {
            Band::Standard => self.standard,
            Band::Basic => self.basic,
            Band::NonStandard => self.non_standard,
        }
    }
}

/// A name in a language; in English where a Chinese one is missing, and the other way round.
pub(crate) fn say(name: &DisplayName, language: Language) -> String {
    let (first, second) = match language {
        Language::English => (&name.en, &name.zh),
        Language::Chinese => (&name.zh, &name.en),
    };
    plain(if first.is_empty() { second } else { first })
}

/// The template with each `{}` replaced by the next text.
pub(crate) fn fill(template: &str, texts: &[&str]) -> String {
    let mut texts = texts.iter();
    let mut parts = template.split("{}");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        filled.push_str(texts.next().copied().unwrap_or_default());
        filled.push_str(part);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_is_there_in_both_languages() {
        for (name, en, zh) in PAIRS {
            assert!(!en.trim().is_empty() && !zh.trim().is_empty(), "{name}");
            assert_eq!(en.matches("{}").count(), zh.matches("{}").count(), "{name}");
            let letters = |text: &str| text.replace("{}", "").chars().any(char::is_alphabetic);
            let is_chinese = zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(
                is_chinese || !letters(en) || !letters(zh),
                "{name} is not translated"
            );
        }
    }

    #[test]
    fn templates_are_filled_in_order_and_only_once() {
        assert_eq!(fill("{} of {}", &["{}", "2"]), "{} of 2");
        assert_eq!(fill("{} of {}", &["1"]), "1 of ");
        assert_eq!(fill("none", &["1"]), "none");
    }
}
