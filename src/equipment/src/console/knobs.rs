//! What people call the knobs, in English and Chinese, for whoever shows them.

use super::Console;

/// A knob as people know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Knob {
    /// The way to it in a settings file: `depth_mm`, `effects.noise`.
    pub id: &'static str,
    /// English.
    pub en: &'static str,
    /// Chinese (simplified).
    pub zh: &'static str,
    /// Unit of its number; empty for what has none.
    pub unit: &'static str,
    /// What it can be set to, if that is one of a few.
    pub choices: &'static [KnobChoice],
}

/// One of the few things that a knob can be set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnobChoice {
    /// The name in a settings file: `PlaneWaves`.
    pub id: &'static str,
    /// English.
    pub en: &'static str,
    /// Chinese (simplified).
    pub zh: &'static str,
}

const fn knob(id: &'static str, en: &'static str, zh: &'static str, unit: &'static str) -> Knob {
    let choices = &[];
    Knob {
        id,
        en,
        zh,
        unit,
        choices,
    }
}

const fn choice(
    id: &'static str,
    en: &'static str,
    zh: &'static str,
    choices: &'static [KnobChoice],
) -> Knob {
    Knob {
        id,
        en,
        zh,
        unit: "",
        choices,
    }
}

const fn named(id: &'static str, en: &'static str, zh: &'static str) -> KnobChoice {
    KnobChoice { id, en, zh }
}

const TRANSMIT: &[KnobChoice] = &[
    named("Focused", "Focused", "聚焦"),
    named("PlaneWaves", "Plane waves", "平面波"),
    named("DivergingWaves", "Diverging waves", "发散波"),
];

const APODIZATION: &[KnobChoice] = &[
    named("Uniform", "Uniform", "均匀"),
    named("Hann", "Hann", "汉宁窗"),
    named("Hamming", "Hamming", "汉明窗"),
    named("Tukey", "Tukey", "图基窗"),
];

const GRAY_MAP: &[KnobChoice] = &[
    named("Linear", "Linear", "线性"),
    named("Contrast", "Contrast", "高对比"),
    named("Soft", "Soft", "柔和"),
];

pub(super) const KNOBS: &[Knob] = &[
    knob("depth_mm", "Depth", "深度", "mm"),
    knob("frequency_mhz", "Frequency", "频率", "MHz"),
    knob("cycles", "Pulse cycles", "脉冲周期数", ""),
    choice("transmit", "Transmit", "发射方式", TRANSMIT),
    knob("transmit.foci_mm", "Focus", "焦点", "mm"),
    knob("transmit.f_number", "Transmit F-number", "发射 F 数", ""),
    knob("transmit.angles_deg", "Transmit angles", "发射角度", "°"),
    knob("transmit.behind_mm", "Virtual source", "虚源距离", "mm"),
    knob("receive_f_number", "Receive F-number", "接收 F 数", ""),
    choice(
        "apodization",
        "Receive apodization",
        "接收变迹",
        APODIZATION,
    ),
    knob("apodization.taper", "Receive taper", "接收变迹锥度", ""),
    choice(
        "transmit_apodization",
        "Transmit apodization",
        "发射变迹",
        APODIZATION,
    ),
    knob(
        "transmit_apodization.taper",
        "Transmit taper",
        "发射变迹锥度",
        "",
    ),
    knob("lines", "Scan lines", "扫描线数", ""),
    knob("samples", "Samples per line", "每线采样点数", ""),
    knob("width", "Scan width", "扫描宽度", ""),
    knob("center", "Scan position", "扫描位置", ""),
    knob("steering_deg", "Steering", "偏转角度", "°"),
    knob("compounding_deg", "Spatial compounding", "空间复合", "°"),
    knob("gain_db", "Gain", "增益", "dB"),
    knob("tgc_db", "TGC", "时间增益补偿（TGC）", "dB"),
    knob(
        "compensation_db_cm_mhz",
        "Attenuation compensation",
        "衰减补偿",
        "dB/cm/MHz",
    ),
    knob("dynamic_range_db", "Dynamic range", "动态范围", "dB"),
    knob("reject", "Reject", "抑制", ""),
    choice("gray_map", "Grey map", "灰阶曲线", GRAY_MAP),
    knob("persistence", "Persistence", "帧相关", ""),
    knob("zoom", "Zoom", "局部放大", ""),
    knob("zoom.center_mm", "Zoom centre", "放大中心", "mm"),
    knob("zoom.height_mm", "Zoom height", "放大高度", "mm"),
    knob("flip_lateral", "Flip left and right", "左右翻转", ""),
    knob("flip_axial", "Flip top and bottom", "上下翻转", ""),
    knob("effects", "Effects", "物理效应", ""),
    knob("effects.refraction", "Refraction", "折射", ""),
    knob(
        "effects.local_sound_speed",
        "Local speed of sound",
        "局部声速",
        "",
    ),
    knob(
        "effects.secondary_paths",
        "Reverberation and mirror images",
        "混响与镜像",
        "",
    ),
    knob("effects.aberration", "Aberration", "像差", ""),
    knob("effects.clutter", "Clutter", "杂波", ""),
    knob("effects.noise", "Electronic noise", "电子噪声", ""),
    knob("effects.flow", "Moving blood", "血流", ""),
    knob("effects.speckle", "Speckle", "散斑", ""),
];

impl Console {
    /// All knobs in the order of the file, those of a part after the part.
    pub fn knobs() -> &'static [Knob] {
        KNOBS
    }

    /// The knob with an id.
    pub fn knob(id: &str) -> Option<&'static Knob> {
        KNOBS.iter().find(|knob| knob.id == id)
    }
}
