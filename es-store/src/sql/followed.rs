//! The statements that read and record what is known about following one upstream.

mod aside;

pub(crate) use self::aside::waiting;
#[cfg(feature = "postgres")]
pub(crate) use self::aside::{BEGINS, STANDS, STOPS};
use super::damaged::DamagedAt;
use super::limits::at_most;
use super::names::AsideNames;
use super::upstream_id;
use crate::digest::Digest;
use crate::followed::{Followed, PolicyTopic, Replay};
use crate::tracking::{Tracking, replay_row};
use crate::upstream_event::UpstreamEvent;

/// The columns of a row, each of which may be damaged. The error is the problem of a column.
pub(crate) trait Columns {
    fn integer(&self, index: usize) -> Result<Option<i64>, String>;

    fn text(&self, index: usize) -> Result<Option<&str>, String>;
}

/// Returns the statement that reads. Its parameters are the upstream and its [`replay_row`].
///
/// It returns a row for each of the two positions, with what is recorded for it, and a row for each
/// topic. With the tables of what is set aside, it may return one more row for each part of
/// [`aside`]. If [`FollowedRows::has_waiting`] is true then, the statement [`waiting`] counts.
pub(crate) fn statement(
    tracking: &str,
    upstream: &str,
    policies: &str,
    names: Option<&AsideNames>,
) -> String {
    let aside = names.map(aside::statements).unwrap_or_default();
    format!(
        "SELECT t.application_name, t.notification_id, u.notification_id, u.originator_id, u.originator_version, \
         u.identity_at, u.identity, u.policies_at, u.policies, NULL AS topic, NULL AS covered, NULL AS part \
         FROM {tracking} AS t LEFT JOIN {upstream} AS u ON u.application_name = t.application_name \
         WHERE t.application_name IN ($1, $2) UNION ALL \
         SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, p.topic, p.covered, NULL \
         FROM {policies} AS p WHERE p.upstream = $1{aside}"
    )
}

/// Returns the statement that records the event and the policies of a new position. Its parameters
/// are those of [`kept`].
///
/// A value that is not known is left as it is. It does not count, because it was recorded for
/// another position.
pub(crate) fn keep_statement(upstream: &str) -> String {
    format!(
        "INSERT INTO {upstream} AS t (application_name, notification_id, originator_id, originator_version, \
         identity_at, identity, policies_at, policies) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (application_name) DO UPDATE SET \
         notification_id = coalesce(excluded.notification_id, t.notification_id), \
         originator_id = coalesce(excluded.originator_id, t.originator_id), \
         originator_version = coalesce(excluded.originator_version, t.originator_version), \
         identity_at = coalesce(excluded.identity_at, t.identity_at), \
         identity = coalesce(excluded.identity, t.identity), \
         policies_at = coalesce(excluded.policies_at, t.policies_at), \
         policies = coalesce(excluded.policies, t.policies)"
    )
}

/// The parameters of [`keep_statement`] behind the row of the position.
pub(crate) struct Kept<'a> {
    pub(crate) event_at: Option<i64>,
    pub(crate) originator_id: Option<String>,
    pub(crate) originator_version: Option<i64>,
    pub(crate) identity_at: Option<i64>,
    pub(crate) identity: Option<String>,
    pub(crate) policies_at: Option<i64>,
    pub(crate) policies: Option<&'a str>,
}

/// Returns what a move records beside its position, or `None` if that is nothing.
pub(crate) fn kept(tracking: &Tracking) -> Option<Kept<'_>> {
    let to = at_most(tracking.to);
    let event = tracking.at.as_ref();
    let identity = event.and_then(|event| event.digest);
    let policies = tracking.policies.as_ref();
    let policies = policies.and_then(|one| one.new.as_deref());
    if event.is_none() && policies.is_none() {
        return None;
    }
    Some(Kept {
        event_at: event.map(|_| to),
        originator_id: event.map(|event| upstream_id::to_column(&event.originator_id)),
        originator_version: event.map(|event| at_most(event.originator_version)),
        identity_at: identity.map(|_| to),
        identity: identity.map(|digest| digest.to_string()),
        policies_at: policies.map(|_| to),
        policies,
    })
}

/// Collects the rows of the statement that reads.
pub(crate) struct FollowedRows<'a> {
    upstream: &'a str,
    followed: Followed,
}

impl<'a> FollowedRows<'a> {
    pub(crate) fn of(upstream: &'a str) -> Self {
        Self {
            upstream,
            followed: Followed::default(),
        }
    }

    pub(crate) fn add(&mut self, row: &impl Columns) -> Result<(), DamagedAt> {
        let damaged = |table: &str, problem: String| DamagedAt {
            at: format!("of {table} for `{}`", self.upstream),
            problem,
        };
        let of_aside = |problem| self.damaged_aside(problem);
        if let Some(part) = row.text(11).map_err(of_aside)?.map(str::to_owned) {
            let added = aside::add(&mut self.followed, &part, row);
            return added.map_err(|problem| self.damaged_aside(problem));
        }
        let of_policies = |problem| damaged("its policies", problem);
        if let Some(topic) = row.text(9).map_err(of_policies)? {
            let covered = row
                .integer(10)
                .and_then(|covered| covered.map(number).transpose());
            self.followed.topics.push(PolicyTopic {
                topic: topic.to_owned(),
                covered: covered.map_err(of_policies)?,
            });
            return Ok(());
        }
        let of_tracking = |problem| damaged("tracking", problem);
        let name = row.text(0).map_err(of_tracking)?.map(str::to_owned);
        let position = row.integer(1).and_then(|at| at.map(number).transpose());
        let Some(position) = position.map_err(of_tracking)? else {
            return Ok(());
        };
        let of_event = |problem| damaged("the upstream's event", problem);
        let event = event(row, position).map_err(of_event)?;
        let counts = row.integer(7).map(|at| is(at, position));
        let policies = row.text(8).map_err(of_policies)?;
        let policies = policies.filter(|_| counts == Ok(true)).map(str::to_owned);
        if name.as_deref() == Some(&*replay_row(self.upstream)) {
            self.followed.replay = policies.map(|policies| Replay {
                position,
                event,
                policies,
            });
        } else {
            self.followed.position = Some(position);
            self.followed.event = event;
            self.followed.policies = policies;
        }
        Ok(())
    }

    /// Returns true if events are set aside and wait, and are to be counted by [`waiting`].
    pub(crate) fn has_waiting(&self) -> bool {
        self.followed.waiting.count > 0
    }

    /// Takes over the row of the statement that counts what waits.
    pub(crate) fn count(&mut self, row: &impl Columns) -> Result<(), DamagedAt> {
        let counted = aside::counted(row);
        self.followed.waiting = counted.map_err(|problem| self.damaged_aside(problem))?;
        Ok(())
    }

    fn damaged_aside(&self, problem: String) -> DamagedAt {
        DamagedAt {
            at: format!("of what is set aside for `{}`", self.upstream),
            problem,
        }
    }

    pub(crate) fn finish(mut self) -> Followed {
        self.followed.topics.sort_by(|a, b| a.topic.cmp(&b.topic));
        self.followed
    }
}

/// Returns the event that was recorded for `position`.
fn event(row: &impl Columns, position: u64) -> Result<Option<UpstreamEvent>, String> {
    if !is(row.integer(2)?, position) {
        return Ok(None);
    }
    let id = row.text(3)?.and_then(upstream_id::from_column);
    let id = id.ok_or("its originator_id is not an id")?;
    let version = row.integer(4)?.map(number).transpose()?;
    let version = version.ok_or("its originator_version is null")?;
    let event = UpstreamEvent::new(id, version);
    match row.text(6)? {
        Some(identity) if is(row.integer(5)?, position) => {
            let digest = Digest::from_hex(identity).ok_or("its identity is no digest")?;
            Ok(Some(event.digest(digest)))
        }
        _ => Ok(Some(event)),
    }
}

fn is(recorded: Option<i64>, position: u64) -> bool {
    recorded.and_then(|at| u64::try_from(at).ok()) == Some(position)
}

fn number(found: i64) -> Result<u64, String> {
    u64::try_from(found).map_err(|_| format!("{found} is not a whole number of 0 or more"))
}
