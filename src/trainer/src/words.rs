//! What the room itself says, in English and Chinese.

use anatomy::tissue::DisplayName;

/// A language of the room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese (simplified).
    Chinese,
}

impl Language {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::English => Self::Chinese,
            Self::Chinese => Self::English,
        }
    }

    /// A name in this language.
    pub fn name(self, of: &DisplayName) -> &str {
        match self {
            Self::English => &of.en,
            Self::Chinese => &of.zh,
        }
    }

    /// A word in this language.
    pub fn say(self, word: Word) -> &'static str {
        match self {
            Self::English => word.en,
            Self::Chinese => word.zh,
        }
    }
}

/// Something said in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// English.
    pub en: &'static str,
    /// Chinese (simplified).
    pub zh: &'static str,
}

macro_rules! words {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        $(#[allow(missing_docs, reason = "the text is its own description")]
        pub const $name: Word = Word { en: $en, zh: $zh };)*
        /// All of them, for checking the font.
        pub const ALL: &[Word] = &[$($name),*];
    };
}

words! {
    TASKS: "TASKS", "任务";
    LAYERS: "BODY", "人体";
    SKIN: "Skin", "皮肤";
    SOFT: "Fat and muscle", "脂肪与肌肉";
    BONE: "Bone", "骨骼";
    ORGANS: "Organs", "脏器";
    VESSELS: "Vessels", "血管";
    SKIN_OPACITY: "Skin opacity", "皮肤不透明度";
    OPEN_AT_PLANE: "Open at the image", "沿图像剖开";
    SHOW_ALL: "Each structure", "逐个结构";
    TIME_LEFT: "Time left", "剩余时间";
    TIME: "Time", "用时";
    LIVE: "LIVE", "实时";
    FROZEN: "FROZEN", "冻结";
    NO_CONTACT: "No contact", "未接触";
    NO_PICTURE: "Place the probe on the skin", "请将探头置于皮肤上";
    FORCE: "Force", "压力";
    DEPTH: "Depth", "深度";
    GAIN: "Gain", "增益";
    RANGE: "Dyn. range", "动态范围";
    FREQUENCY: "Frequency", "频率";
    TGC: "TGC", "时间增益补偿";
    NEAR: "near", "近场";
    FAR: "far", "远场";
    RESET: "Reset", "复位";
    FREEZE: "Freeze", "冻结";
    UNFREEZE: "Run", "解冻";
    CAPTURE: "Capture", "采图";
    NEXT: "Next", "下一项";
    HELP: "Help", "帮助";
    OTHER_LANGUAGE: "中文", "English";
    POINTS: "points", "分";
    OF: "of", "满分";
    STANDARD: "Standard", "标准";
    BASIC: "Basic", "基本标准";
    NON_STANDARD: "Non-standard", "非标准";
    SCORE: "SCORE", "评分";
    TO_MEND: "How to mend it", "改进方法";
    CONTINUE: "Next task (N)", "下一项 (N)";
    CLOSE: "Back to the picture", "返回图像";
    PREPARING: "Preparing the patient …", "正在准备患者 …";
    REDUCED: "Reduced imaging", "简化成像";
    WINDOW: "window", "窗口";
    IMAGES: "live images", "实时图像";
    TEXTURE: "panel", "图像面板";
    PLANE: "cut plane", "切面";
    LATENCY: "pose to image p95", "位姿到图像 p95";
    HAND: "Hand", "手法";
    ROTATE: "Rotate", "旋转";
    ROCK: "Rock", "摆动";
    TILT: "Tilt", "倾斜";
    PRESS: "Press", "加压";
    DONE: "Done", "已完成";
    ALL_DONE: "All tasks are done.", "所有任务均已完成。";
    HELP_TITLE: "Mouse and keys", "鼠标与按键";
    HELP_MOVE: "Drag on the skin: move the probe", "在皮肤上拖动：移动探头";
    HELP_ORBIT: "Right drag: turn the view; middle drag: shift it; wheel: zoom", "右键拖动：旋转视角；中键拖动：平移；滚轮：缩放";
    HELP_ARROWS: "Slide along the skin", "沿皮肤滑动";
    HELP_ROTATE: "Rotate the probe", "旋转探头";
    HELP_ROCK: "Rock in the image plane", "在切面内摆动";
    HELP_TILT: "Tilt (fan) the plane", "倾斜切面（扇形扫查）";
    HELP_PRESS: "Press harder, less; also Ctrl + wheel", "加压、减压；或 Ctrl + 滚轮";
    HELP_FINE: "Hold for fine steps", "按住微调";
    HELP_FREEZE: "Freeze, run", "冻结、解冻";
    HELP_CAPTURE: "Capture: this picture is the answer", "采图：提交当前图像";
    HELP_NEXT: "Next task", "下一项任务";
    HELP_BREATH: "Breathe in, out, hold; quietly", "吸气、呼气、屏气；平静呼吸";
    HELP_POSTURE: "On the back, on the left side", "仰卧位、左侧卧位";
    HELP_DEPTH: "Depth", "深度";
    HELP_GAIN: "Gain", "增益";
    HELP_LANGUAGE: "Language", "语言";
    HELP_HELP: "This help", "本帮助";
    SPACE: "Space", "空格";
    ENTER: "Enter", "回车";
    ARROWS: "Arrows", "方向键";
    SHIFT: "Shift", "Shift";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_said_in_both_languages() {
        for word in ALL {
            assert!(!word.en.is_empty() && !word.zh.is_empty(), "{word:?}");
        }
        assert_eq!(Language::English.other().other(), Language::English);
        assert_eq!(Language::Chinese.say(GAIN), "增益");
    }
}
