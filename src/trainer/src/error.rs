//! Why there is no room.

use std::path::PathBuf;

use anatomy::tissue::DisplayName;
use thiserror::Error;

/// Why the room cannot be opened, or what went wrong in it.
#[derive(Debug, Error)]
pub enum RoomError {
    /// Nothing on this machine can draw.
    #[error("{}", .0.en)]
    NoDevice(DisplayName),
    /// There is no screen to open a window on.
    #[error("{}", .0.en)]
    NoDisplay(DisplayName),
    /// A screenshot cannot be written.
    #[error("{}: {source}", .path.display())]
    Screenshot {
        /// The file.
        path: PathBuf,
        /// What the encoder or the system said.
        source: png::EncodingError,
    },
    /// A size that no picture can have.
    #[error("a room of {0} × {1} points cannot be drawn; 1240 × 620 to 4096 × 4096 can")]
    Size(u32, u32),
    /// The drawing stopped giving pictures.
    #[error("the drawing device gave no picture")]
    Lost,
}

impl RoomError {
    /// What to tell the person, in both languages.
    pub fn notice(&self) -> DisplayName {
        match self {
            Self::NoDevice(notice) | Self::NoDisplay(notice) => notice.clone(),
            other => DisplayName {
                en: other.to_string(),
                zh: format!("无法显示操作室：{other}"),
            },
        }
    }

    /// No Vulkan device.
    pub(crate) fn no_device() -> Self {
        Self::NoDevice(DisplayName {
            en: "no Vulkan device was found, so the room cannot be drawn. Install a driver \
                 (Debian, Ubuntu: `apt install mesa-vulkan-drivers`, which also draws without a \
                 graphics card). `sonocath play` works without one."
                .to_owned(),
            zh: "未找到 Vulkan 设备，无法显示操作室。请安装驱动（Debian、Ubuntu：\
                 `apt install mesa-vulkan-drivers`，无显卡也可绘图）。\
                 `sonocath play` 无需图形设备即可使用。"
                .to_owned(),
        })
    }

    /// No screen, with what was found wrong.
    pub(crate) fn no_display(what: &str, what_zh: &str) -> Self {
        Self::NoDisplay(DisplayName {
            en: format!(
                "there is no screen to open a window on: {what}. Start it in a desktop session, \
                 or with `xvfb-run`; `--headless` with a script draws without a screen, and `sonocath play` \
                 works without drawing."
            ),
            zh: format!(
                "没有可用的屏幕，无法打开窗口：{what_zh}。请在桌面会话中启动，或使用 `xvfb-run`；\
                 `--headless` 配合脚本可离屏绘制，`sonocath play` 无需绘图即可使用。"
            ),
        })
    }
}
