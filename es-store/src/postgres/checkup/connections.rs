//! The connections that an application needs, and those that its server allows.

use tokio_postgres::config::Host;

use super::Examined;
use crate::checkup::Connections;
use crate::error::StoreError;
use crate::role::Role;

/// The lowest of the limits of the server, the database and the role. A superuser has no limit but
/// the server's.
const ALLOWED: &str = "SELECT least( \
     current_setting('max_connections')::int \
     - CASE WHEN r.rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::int \
     + coalesce(current_setting('reserved_connections', true)::int, 0) END, \
     CASE WHEN r.rolsuper OR d.datconnlimit < 0 THEN 2147483647 ELSE d.datconnlimit END, \
     CASE WHEN r.rolsuper OR r.rolconnlimit < 0 THEN 2147483647 ELSE r.rolconnlimit END) \
     FROM pg_roles AS r, pg_database AS d WHERE r.rolname = current_user AND d.datname = current_database()";

/// Returns the connections of the application: one writes, one listens, and a pool reads. A
/// projection has a second pool, and one more during a rebuild. The store does not know if its
/// application is one, so each follower counts as one.
pub(super) fn of(server: &Examined<'_>) -> Result<Connections, StoreError> {
    let row = server.query_one("reading the limits of connections", ALLOWED, &[])?;
    let readers = u32::try_from(server.settings.readers()).unwrap_or(u32::MAX);
    let (least, most) = match server.role {
        Role::Leader => (2, readers.saturating_add(2)),
        Role::Follower => (3, readers.saturating_mul(2).saturating_add(3)),
    };
    let allowed = row.get::<_, i32>(0).unsigned_abs();
    Ok(Connections::new(name_of(server), least, most, allowed))
}

/// Returns the name of the server in the settings.
fn name_of(server: &Examined<'_>) -> String {
    let config = &server.settings.config;
    let host = |host: &Host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string(),
    };
    let hosts: Vec<_> = config.get_hosts().iter().map(host).collect();
    let ports: Vec<_> = config.get_ports().iter().map(u16::to_string).collect();
    format!("{}:{}", hosts.join(","), ports.join(","))
}
