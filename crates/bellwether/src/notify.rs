//! Telling systemd how we are (`Type=notify`): one datagram to the socket that it names. Elsewhere nothing happens.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Sends `state` (`READY=1`, `STOPPING=1`). A lost notice is logged and not fatal: systemd has its own time-out.
pub fn notify(state: &str) {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let name = name.as_encoded_bytes();
    let address = match name.strip_prefix(b"@") {
        Some(abstract_name) => SocketAddr::from_abstract_name(abstract_name),
        None => SocketAddr::from_pathname(String::from_utf8_lossy(name).as_ref()),
    };
    let sent = address.and_then(|address| {
        UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address).map(|_| ())
    });
    if let Err(e) = sent {
        tracing::warn!("The service manager could not be told {state}: {e}");
    }
}
