//! Is there anything to draw with, and a screen to draw on? Asked before the engine is started,
//! since it panics where there is none.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::error::RoomError;

/// What draws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name, as the driver says.
    pub name: String,
    /// Whether it is a processor that does a graphics card's work.
    pub is_software: bool,
}

/// The best device there is.
///
/// # Errors
/// [`RoomError::NoDevice`].
pub fn find() -> Result<Device, RoomError> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::PRIMARY;
    let instance = wgpu::Instance::new(descriptor);
    let wanted = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..Default::default()
    };
    let adapter = bevy::tasks::block_on(instance.request_adapter(&wanted));
    let info = adapter.map_err(|_| RoomError::no_device())?.get_info();
    Ok(Device {
        is_software: info.device_type == wgpu::DeviceType::Cpu,
        name: info.name,
    })
}

/// Where an X server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Server {
    /// On this machine, by number.
    Local(u16),
    /// On a host, by port.
    Remote(String, u16),
}

/// Whether a window can be opened.
///
/// # Errors
/// [`RoomError::NoDisplay`].
pub fn require_display() -> Result<(), RoomError> {
    if !cfg!(all(unix, not(target_os = "macos"))) {
        return Ok(());
    }
    let display = std::env::var("DISPLAY").unwrap_or_default();
    if display.is_empty() {
        return Err(RoomError::no_display(
            "DISPLAY is not set",
            "未设置 DISPLAY",
        ));
    }
    let server = server_of(&display).ok_or_else(|| {
        let what = format!("DISPLAY is `{display}`, which names no screen");
        RoomError::no_display(&what, &format!("DISPLAY 为“{display}”，不是有效的屏幕"))
    })?;
    match answers(&server) {
        true => Ok(()),
        false => Err(RoomError::no_display(
            &format!("nothing answers at DISPLAY `{display}`"),
            &format!("DISPLAY“{display}”无响应"),
        )),
    }
}

/// `:0`, `:99.0`, `unix:1`, `host:10.0`.
fn server_of(display: &str) -> Option<Server> {
    let (host, rest) = display.rsplit_once(':')?;
    let number: u16 = rest.split('.').next()?.parse().ok()?;
    match host {
        "" | "unix" => Some(Server::Local(number)),
        host => Some(Server::Remote(host.to_owned(), number.checked_add(6000)?)),
    }
}

#[cfg(unix)]
fn answers(server: &Server) -> bool {
    use std::os::unix::net::UnixStream;
    match server {
        Server::Local(number) => UnixStream::connect(format!("/tmp/.X11-unix/X{number}")).is_ok(),
        Server::Remote(host, port) => answers_remotely(host, *port),
    }
}

#[cfg(not(unix))]
fn answers(server: &Server) -> bool {
    match server {
        Server::Local(_) => true,
        Server::Remote(host, port) => answers_remotely(host, *port),
    }
}

fn answers_remotely(host: &str, port: u16) -> bool {
    let places = (host, port).to_socket_addrs();
    let connects = |at| TcpStream::connect_timeout(&at, Duration::from_secs(3)).is_ok();
    places.is_ok_and(|mut places| places.any(connects))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_are_read() {
        assert_eq!(server_of(":99"), Some(Server::Local(99)));
        assert_eq!(server_of(":0.1"), Some(Server::Local(0)));
        assert_eq!(server_of("unix:3.0"), Some(Server::Local(3)));
        let remote = Server::Remote("localhost".to_owned(), 6010);
        assert_eq!(server_of("localhost:10.0"), Some(remote));
        assert_eq!(server_of("nonsense"), None);
        assert_eq!(server_of(":"), None);
    }

    #[test]
    fn a_server_that_is_not_there_does_not_answer() {
        assert!(!answers(&Server::Local(60_001)));
    }
}
